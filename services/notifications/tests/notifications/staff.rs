//! What staff see.

use mesh::testing::{customer, staff};
use proto::notifications as pb;
use tonic::Code;

use crate::support::offices;

#[tokio::test]
async fn staff_page_through_the_templates_and_preview_each() {
    for office in offices(0).await {
        let mut client = office.as_user(&staff(&["notifications.read"]));
        let mut names = Vec::new();
        let mut page_token = String::new();
        loop {
            let page = client.list_templates(pb::ListTemplatesRequest { page_size: 4, page_token }).await;
            let page = page.unwrap().into_inner();
            assert!(page.templates.len() <= 4);
            names.extend(page.templates.into_iter().map(|template| template.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(names.len(), 9);
        assert!(names.is_sorted());

        for template in names {
            let mail = client.preview_mail(pb::PreviewMailRequest { template: template.clone() }).await;
            let mail = mail.unwrap().into_inner();
            assert!(!mail.subject.is_empty() && mail.html.ends_with("</html>"), "{template}");
            assert!(mail.text.starts_with("Hello Ada,\n\n"), "{}", mail.text);
            assert!(!mail.text.contains("\n\n\n"), "{}", mail.text);
            assert!(mail.text.contains("https://storefront.example/"), "{}", mail.text);
            assert!(mail.html.contains("https://storefront.example/"), "{}", mail.html);
        }
    }
}

#[tokio::test]
async fn a_template_that_is_not_there_is_not_found() {
    for office in offices(0).await {
        let mut client = office.as_user(&staff(&["notifications.read"]));

        let request = pb::PreviewMailRequest { template: "../../mail".to_owned() };
        let refused = client.preview_mail(request).await.unwrap_err();

        let reason = mesh::status::reason_of(&refused).map(|(_, reason)| reason);
        assert_eq!((refused.code(), reason.as_deref()), (Code::NotFound, Some("TEMPLATE_NOT_FOUND")));
    }
}

#[tokio::test]
async fn templates_are_for_staff_who_may_see_them() {
    for office in offices(0).await {
        for stranger in [customer(), staff(&["orders.read"])] {
            let mut client = office.as_user(&stranger);
            let refused = client.list_templates(pb::ListTemplatesRequest::default()).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
        }
    }
}

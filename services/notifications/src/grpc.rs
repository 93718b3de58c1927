//! The contract on one side, the domain on the other. Only here a request can be invalid.

use kit::{Page, PageLimits};
use mesh::status::Problem;
use proto::notifications as pb;
use proto::notifications::notifications_service_server::{NotificationsService, NotificationsServiceServer};
use tonic::{Code, Request, Response, Status};

use crate::NAME;
use crate::app::Notifications;
use crate::domain::Template;
use crate::error::Error;

const PAGE: PageLimits = PageLimits { default: 20, max: 100 };

pub fn server(notifications: Notifications) -> NotificationsServiceServer<impl NotificationsService> {
    NotificationsServiceServer::new(Grpc { notifications })
}

struct Grpc {
    notifications: Notifications,
}

#[tonic::async_trait]
impl NotificationsService for Grpc {
    async fn list_templates(
        &self,
        request: Request<pb::ListTemplatesRequest>,
    ) -> Result<Response<pb::ListTemplatesResponse>, Status> {
        let message = request.into_inner();
        let arguments = pb::ListTemplatesRequest::default();
        let page =
            Page::parse(message.page_size, &message.page_token, &arguments, PAGE).map_err(Error::from)?;
        let listed = self.notifications.list_templates(&page)?.map(shown);
        Ok(Response::new(pb::ListTemplatesResponse {
            templates: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn preview_mail(
        &self,
        request: Request<pb::PreviewMailRequest>,
    ) -> Result<Response<pb::PreviewMailResponse>, Status> {
        let mail = self.notifications.preview_mail(&request.get_ref().template)?;
        Ok(Response::new(pb::PreviewMailResponse { subject: mail.subject, text: mail.text, html: mail.html }))
    }
}

fn shown(template: Template) -> pb::Template {
    pb::Template { name: template.name().to_owned(), description: template.description().to_owned() }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let words = error.to_string();
        match error {
            Error::TemplateNotFound => {
                Problem::new(Code::NotFound, NAME, pb::Reason::TemplateNotFound.as_str_name(), words)
            }
            Error::Page(error) => error.into(),
            Error::Unwritten(error) => Problem::internal(&error),
            Error::Sample(error) => Problem::internal(&error),
        }
        .status()
    }
}

//! Services that show each other certificates, and those that cannot.

use std::path::Path;
use std::time::Duration;

use mesh::serve::Peers;
use mesh::{CertificateFiles, Certificates};
use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
use tempfile::TempDir;
use tonic::Code;

use crate::support::{Shop, reason, skus};

/// Somebody who certifies.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a service, in a folder of its own.
    fn certify(&self, service: &str, year_of_end: i32) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        self.certify_into(folder.path(), service, year_of_end);
        folder
    }

    fn certify_into(&self, folder: &Path, service: &str, year_of_end: i32) {
        let mut params = CertificateParams::new(vec![service.to_owned()]).unwrap();
        let uri = Ia5String::try_from(format!("spiffe://shop/{service}")).unwrap();
        params.subject_alt_names.push(SanType::URI(uri));
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year_of_end, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(folder.join("certificate.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
        std::fs::write(folder.join("authority.pem"), &self.pem).unwrap();
    }
}

const FAR: i32 = 2100;

fn load(folder: &Path) -> Certificates {
    Certificates::load(CertificateFiles {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
        authority: folder.join("authority.pem"),
        domain: "shop".to_owned(),
    })
    .unwrap()
}

/// What an inventory that is certified by `authority` answers to whoever holds `own`.
async fn ask(authority: &Authority, own: Option<&Certificates>) -> Result<String, tonic::Status> {
    let shop = Shop::start();
    let server = load(authority.certify("inventory", FAR).path());
    let wire = shop.wire_to(Peers::Certified(server), own).await;
    wire.client("gateway").batch_get_stock(skus("a")).await?;
    Ok(shop.state.last().caller.workload.to_string())
}

#[tokio::test]
async fn the_certificate_says_who_calls_whatever_the_caller_believes_to_be() {
    let authority = Authority::new();

    let gateway = ask(&authority, Some(&load(authority.certify("gateway", FAR).path()))).await;
    let other = ask(&authority, Some(&load(authority.certify("reviews", FAR).path()))).await;
    let stranger = ask(&authority, Some(&load(authority.certify("nobody", FAR).path()))).await;

    assert_eq!(gateway.unwrap(), "gateway");
    for refused in [other, stranger] {
        let refused = refused.unwrap_err();
        assert_eq!((refused.code(), &*reason(&refused)), (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));
    }
}

#[tokio::test]
async fn a_certificate_that_is_wrong_expired_or_missing_opens_nothing() {
    let authority = Authority::new();
    let wrong = Authority::new().certify("gateway", FAR);
    // It believes the right authority, and is certified by another one.
    std::fs::write(wrong.path().join("authority.pem"), &authority.pem).unwrap();

    for own in [Some(load(wrong.path())), Some(load(authority.certify("gateway", 2021).path())), None] {
        let refused = ask(&authority, own.as_ref()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
    }
}

#[tokio::test]
async fn a_server_that_is_certified_for_another_service_is_not_spoken_to() {
    let authority = Authority::new();
    let shop = Shop::start();
    let own = load(authority.certify("gateway", FAR).path());

    for (service, end) in [("reviews", FAR), ("inventory", 2021)] {
        let server = load(authority.certify(service, end).path());
        let wire = shop.wire_to(Peers::Certified(server), Some(&own)).await;
        let refused = wire.client("gateway").batch_get_stock(skus("a")).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable, "{service}");
    }
    assert_eq!(shop.state.began(), 0);
}

#[tokio::test]
async fn files_that_change_are_used_by_the_next_connections() {
    let authority = Authority::new();
    let shop = Shop::start();
    let folder = authority.certify("gateway", FAR);
    let own = load(folder.path());
    let server = Peers::Certified(load(authority.certify("inventory", FAR).path()));
    shop.wire_to(server.clone(), Some(&own))
        .await
        .client("gateway")
        .batch_get_stock(skus("a"))
        .await
        .unwrap();

    // A file that is half there is not used.
    std::fs::write(folder.path().join("key.pem"), "half").unwrap();
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    let wire = shop.wire_to(server.clone(), Some(&own)).await;
    wire.client("gateway").batch_get_stock(skus("a")).await.unwrap();

    // The certificate of somebody else is.
    authority.certify_into(folder.path(), "reviews", FAR);
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    let wire = shop.wire_to(server, Some(&own)).await;
    let refused = wire.client("gateway").batch_get_stock(skus("a")).await.unwrap_err();
    assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED");
}

#[tokio::test]
async fn behind_a_proxy_its_header_says_who_calls_and_nothing_else_does() {
    let shop = Shop::start();
    let suffix = "shop.serviceaccount.identity.linkerd.cluster.local";
    let wire = shop.wire_to(Peers::Linkerd(suffix.to_owned()), None).await;
    let said = async |account: &str| {
        let mut request = tonic::Request::new(skus("a"));
        let header = format!("{account}.{suffix}").parse().unwrap();
        request.metadata_mut().insert("l5d-client-id", header);
        request.metadata_mut().insert("x-workload", "gateway".parse().unwrap());
        wire.client("gateway").batch_get_stock(request).await
    };

    let unsaid = wire.client("gateway").batch_get_stock(skus("a")).await;

    assert!(said("gateway").await.is_ok());
    assert_eq!(reason(&said("reviews").await.unwrap_err()), "CALLER_NOT_ALLOWED");
    assert_eq!(reason(&unsaid.unwrap_err()), "CALLER_NOT_ALLOWED");
}

//! An authority that lives for one run, and a certificate of it for each process.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};

use crate::process::{Error, file_error};

/// Writes `authority.pem`, and `<name>.pem` and `<name>.key` for each.
pub(crate) fn make<'a>(folder: &Path, names: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    let wrong = |error: rcgen::Error| Error::Refused(format!("a certificate cannot be made: {error}"));
    let write = |name: String, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|source| file_error(&path, "written", source))
    };
    let mut authority = CertificateParams::new(vec![]).map_err(wrong)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().map_err(wrong)?;
    write("authority.pem".to_owned(), authority.self_signed(&key).map_err(wrong)?.pem())?;
    let issuer = Issuer::new(authority, key);
    for name in names {
        let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(wrong)?;
        let uri = Ia5String::try_from(format!("spiffe://shop/{name}")).map_err(wrong)?;
        params.subject_alt_names.push(SanType::URI(uri));
        let key = KeyPair::generate().map_err(wrong)?;
        write(format!("{name}.pem"), params.signed_by(&key, &issuer).map_err(wrong)?.pem())?;
        write(format!("{name}.key"), key.serialize_pem())?;
    }
    Ok(())
}

/// What the process of this name is told of its certificate.
pub(crate) fn variables(folder: &Path, name: &str) -> [(&'static str, PathBuf); 4] {
    [
        ("SHOP_PEERS", PathBuf::from("certificates")),
        ("SHOP_CERTIFICATE", folder.join(format!("{name}.pem"))),
        ("SHOP_CERTIFICATE_KEY", folder.join(format!("{name}.key"))),
        ("SHOP_AUTHORITY", folder.join("authority.pem")),
    ]
}

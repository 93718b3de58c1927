//! How mails leave the shop: from whom, by which server, and where their links lead.

use std::path::PathBuf;

use clap::Args;

/// Mails. Their server's address holds a password, so debug output hides all of it.
#[derive(Args, Clone)]
pub struct Mail {
    /// The mail server: smtps://user:password@host, or smtp://user:password@host:587 for STARTTLS.
    #[arg(
        long,
        env = "SHOP_SMTP_URL",
        hide_env_values = true,
        requires = "mail_from",
        requires = "storefront_url",
        conflicts_with = "mail_folder"
    )]
    pub smtp_url: Option<String>,
    /// A folder that mails are written into instead, and shown from at /dev/mail; `mail` in the data folder for `shop up`.
    #[arg(long, env = "SHOP_MAIL_FOLDER")]
    pub mail_folder: Option<PathBuf>,
    /// Who mails are from: "Shop <shop@shop.example>".
    #[arg(long, env = "SHOP_MAIL_FROM")]
    pub mail_from: Option<String>,
    /// The storefront whose pages the links of mails open: `https://shop.example`.
    #[arg(long, env = "SHOP_STOREFRONT_URL")]
    pub storefront_url: Option<String>,
    /// What mails call the shop.
    #[arg(long, env = "SHOP_NAME", default_value = "Shopmesh")]
    pub shop_name: String,
}

impl Mail {
    /// For whoever sends none.
    pub fn none() -> Self {
        Self {
            smtp_url: None,
            mail_folder: None,
            mail_from: None,
            storefront_url: None,
            shop_name: String::new(),
        }
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Mail")
    }
}

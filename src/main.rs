//! The binary `shop`: its commands. Who calls whom stands in [`topology`].

mod apart;
mod commands;
mod config;
mod data;
mod demo;
mod edge;
mod mails;
mod places;
mod settings;
mod subscriptions;
mod topology;

use std::process::ExitCode;

use mimalloc::MiMalloc;

use crate::commands::{Failure, admin, migrate, print, provider, sealing_key, serve, transfer, up, verify};
use crate::config::{Admin, Cli, Command, Export, Import, LogFormat};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    keep_pages_small();
    let cli = Cli::read();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("shop: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// With huge pages a shop that rests holds 2 MiB for every few kilobytes that are in use: four times what it needs. Its
/// allocator does not ask for them, and here a kernel that gives them unasked is told not to.
fn keep_pages_small() {
    // Refused only by a kernel that has no huge pages.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let seeing = observability::init(&seeing(&cli))
            .map_err(|error| Failure::caused("logs and traces cannot be set up", &error))?;
        let Some(command) = cli.command else {
            return Ok(());
        };
        match command {
            Command::Up(arguments) => up::run(&arguments, &seeing).await,
            Command::Serve(arguments) => serve::run(&arguments, &seeing).await,
            Command::Demo(arguments) => commands::demo::run(&arguments).await,
            Command::Provider(arguments) => provider::run(&arguments).await,
            Command::Migrate(arguments) => migrate::run(&arguments).await,
            Command::SealingKey(arguments) => sealing_key::run(&arguments),
            Command::Import(Import::Catalogue(file)) => transfer::import_catalogue(&file).await,
            Command::Import(Import::Orders(file)) => transfer::import_orders(&file).await,
            Command::Export(Export::Catalogue { old_headers, currency, client }) => {
                transfer::export_catalogue(&client, !old_headers, &currency).await
            }
            Command::Events(command) => commands::events::run(&command).await,
            Command::Admin(Admin::Create(account)) => admin::create(&account).await,
            Command::Verify(arguments) => verify::run(&arguments).await,
            Command::Schema => {
                print::schema();
                Ok(())
            }
            Command::Routes => {
                print::routes();
                Ok(())
            }
        }
    })
}

fn seeing(Cli { command, log }: &Cli) -> observability::Settings {
    observability::Settings {
        // A part that runs apart is known by what it serves.
        service: match command {
            Some(Command::Serve(part)) => part.names.join("+"),
            Some(Command::Provider(_)) => "provider".to_owned(),
            _ => "shop".to_owned(),
        },
        log_format: match log.log_format {
            LogFormat::Pretty => observability::LogFormat::Pretty,
            LogFormat::Json => observability::LogFormat::Json,
        },
        log_filter: log.log.clone(),
        otlp_endpoint: log.otlp_endpoint.clone(),
        calls_seen: log.calls_seen.clone(),
    }
}

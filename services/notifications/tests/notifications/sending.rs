//! At least one mail, and one alone; later, if it must be; and nobody waits for another's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use kit::Id;
use kit::outbox::Event;
use notifications::{Folder, Goodbye, Mail, Mailer, Undelivered};
use proto::identity::{self, MailKind};
use sealing::Opener;
use tokio_util::sync::CancellationToken;

use crate::post::{Manner, Post};
use crate::support::{Office, keep_log, logged, offices, parsed, sender};

const ADA: &str = "ada-canary@example.com";
const NOBODY: &str = "nobody-canary@example.com";

/// Longer than the longest pause between two attempts.
const LATER: Duration = Duration::from_secs(11 * 60);

#[tokio::test]
async fn an_event_that_comes_often_is_one_mail_however_many_send() {
    for office in offices(3).await {
        let event = office.order("order.placed", ADA);

        let told = (0..10).map(|_| office.tell_once(&event));
        futures::future::join_all(told).await;
        office.arrived(ADA, 1).await;
        office.tell(&event).await;

        office.arrived(ADA, 1).await;
        assert_eq!(office.waiting().await, 0);
    }
}

#[tokio::test]
async fn an_address_that_is_refused_is_asked_once_and_holds_up_nobody() {
    for office in offices(1).await {
        office.post.treat(NOBODY, Manner::Refuse);
        office.tell(&office.order("order.placed", NOBODY)).await;
        office.tell(&office.order("order.placed", "no address at all\r\nBcc: canary")).await;
        office.tell(&office.order("order.placed", ADA)).await;

        office.arrived(ADA, 1).await;
        office.settled().await;
        office.clock.advance(LATER);

        office.arrived(NOBODY, 0).await;
        assert_eq!(office.post.asked(NOBODY), 1);
    }
}

#[tokio::test]
async fn a_mail_that_is_put_off_comes_later_and_others_pass_it() {
    for office in offices(2).await {
        office.post.treat(NOBODY, Manner::PutOff(2));
        office.tell(&office.order("order.placed", NOBODY)).await;
        office.tell(&office.order("order.placed", ADA)).await;
        office.arrived(ADA, 1).await;
        office.arrived(NOBODY, 0).await;

        while office.post.received(NOBODY).is_empty() {
            office.clock.advance(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }

        office.arrived(NOBODY, 1).await;
        office.settled().await;
        assert_eq!(office.post.asked(NOBODY), 3);
    }
}

#[tokio::test]
async fn a_mail_that_comes_twice_has_the_same_message_id() {
    for office in offices(1).await {
        office.post.treat(ADA, Manner::Drop(1));
        office.tell(&office.order("order.placed", ADA)).await;
        while office.post.received(ADA).len() < 2 {
            office.clock.advance(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }

        let mails = office.arrived(ADA, 2).await;

        office.settled().await;
        let id = |mail: &String| parsed(mail).message_id().unwrap().to_owned();
        assert_eq!(id(&mails[0]), id(&mails[1]));
        assert_eq!(parsed(&mails[0]).date(), parsed(&mails[1]).date());
    }
}

#[tokio::test]
async fn a_server_that_hangs_on_some_mails_takes_the_others() {
    for office in offices(1).await {
        for number in 0..5 {
            let silent = format!("silent-{number}@example.com");
            office.post.treat(&silent, Manner::Hang);
            office.tell(&office.order("order.placed", &silent)).await;
        }
        for _ in 0..20 {
            office.tell(&office.order("order.placed", ADA)).await;
        }

        office.arrived(ADA, 20).await;
        assert_eq!(office.waiting().await, 5);
    }
}

#[tokio::test]
async fn a_mail_waits_no_longer_when_the_server_has_yet_to_say_good_bye() {
    for office in offices(1).await {
        office.post.treat(ADA, Manner::Linger);
        office.tell(&office.order("order.placed", ADA)).await;

        while !office.post.is_lingering(ADA) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }

        assert_eq!(office.waiting().await, 0);
    }
}

#[tokio::test]
async fn no_mail_is_lost_while_the_server_is_closed() {
    for office in offices(1).await {
        office.post.close(true);
        for _ in 0..20 {
            office.tell(&office.order("order.placed", ADA)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        office.arrived(ADA, 0).await;
        assert_eq!(office.waiting().await, 20);

        office.post.close(false);
        office.clock.advance(LATER);

        office.arrived(ADA, 20).await;
        office.settled().await;
    }
}

/// Takes a mail, and then the process is gone before it can say so.
#[derive(Default)]
struct Crash {
    taken: Mutex<Vec<Mail>>,
}

impl Mailer for Crash {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<Goodbye, Undelivered>> {
        let first = {
            let mut taken = self.taken.lock().unwrap();
            taken.push(mail.clone());
            taken.len() == 1
        };
        async move {
            match first {
                true => std::future::pending().await,
                false => Ok(std::future::ready(()).boxed()),
            }
        }
        .boxed()
    }
}

#[tokio::test]
async fn what_a_killed_process_had_claimed_is_sent_once_the_claim_is_over() {
    for database in kit::testing::databases::<notifications::Migrator>().await {
        let crash = Arc::new(Crash::default());
        let office = Office::start(database, Post::start().await, crash.clone(), 0);
        let work = || {
            let (database, settings) = (office.database.clone(), office.settings.clone());
            tokio::spawn(notifications::work(
                database,
                settings,
                office.clock.clone(),
                CancellationToken::new(),
            ))
        };
        let taken = || crash.taken.lock().unwrap().clone();
        office.tell(&office.order("order.placed", ADA)).await;
        let killed = work();
        while taken().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        killed.abort();

        let second = work();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(taken().len(), 1, "the claim still stands");
        office.clock.advance(Duration::from_secs(61));

        office.settled().await;
        second.abort();
        let taken = taken();
        assert_eq!(taken.len(), 2);
        assert_eq!(taken[0].message_id, taken[1].message_id);
    }
}

#[tokio::test]
async fn what_no_key_opens_is_given_up_and_no_log_says_whom_it_was_for() {
    keep_log();
    for office in offices(1).await {
        let stranger = Opener::generate();
        let content = identity::MailContent { email: ADA.to_owned(), ..Default::default() };
        let payload = identity::AccountMailRequested {
            mail: Some(stranger.sealer().seal(&content).unwrap()),
            ..Default::default()
        };
        let account = Id::<()>::new();
        let sealed = Event::new("account.mail_requested", account, 1, office.clock.now(), &payload);
        let garbage =
            Event { payload: b"ada-canary is no message".to_vec(), id: Id::new(), ..sealed.clone() };
        office.post.treat(NOBODY, Manner::Refuse);
        office.post.treat("late-canary@example.com", Manner::PutOff(1));

        for event in [&sealed, &garbage] {
            office.tell(event).await;
        }
        office.tell(&office.order("order.placed", NOBODY)).await;
        office.tell(&office.order("order.placed", "late-canary@example.com")).await;
        office.tell(&office.order("order.placed", ADA)).await;
        office.arrived(ADA, 1).await;
        office.post.close(true);
        office.clock.advance(Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(1_500)).await;

        let log = logged();
        let line = format!("the mail of account.mail_requested {} is given up: ", sealed.id);
        assert_eq!(log.matches(&line).count(), 1, "{log}");
        assert!(log.contains("sealed to another key"), "{log}");
        assert!(log.contains(&format!("{} is left out", garbage.id)), "{log}");
        assert!(log.contains("mails wait until they can be sent again"), "{log}");
        assert!(!log.contains("canary"), "{log}");
        assert_eq!(office.waiting().await, 1, "only the one that was put off");
    }
}

#[tokio::test]
async fn a_link_that_has_expired_is_not_sent() {
    for office in offices(0).await {
        let reset = office.account(MailKind::ResetPassword, ADA, "Ada");
        office.tell(&reset).await;
        office.tell(&office.account(MailKind::VerifyEmail, NOBODY, "Ada")).await;

        office.clock.advance(Duration::from_secs(31 * 60));
        office.begin_to_send();

        office.arrived(NOBODY, 1).await;
        office.settled().await;
        office.arrived(ADA, 0).await;
    }
}

#[tokio::test]
async fn in_a_folder_each_mail_is_one_file_that_a_mail_program_reads() {
    for database in kit::testing::databases::<notifications::Migrator>().await {
        let folder = tempfile::tempdir().unwrap();
        let mailer = Folder::new(folder.path().join("mail"), sender());
        let office = Office::start(database, Post::start().await, Arc::new(mailer), 2);
        let event = office.order("order.placed", ADA);

        office.tell(&event).await;
        office.settled().await;
        office.tell(&event).await;

        let files: Vec<_> = std::fs::read_dir(folder.path().join("mail")).unwrap().collect();
        assert_eq!(files.len(), 1);
        let path = files[0].as_ref().unwrap().path();
        assert_eq!(path.file_name().unwrap().to_str().unwrap(), format!("{}.eml", event.id));
        let mail = std::fs::read_to_string(path).unwrap();
        assert_eq!(parsed(&mail).subject(), Some("Your order 1001"));
        assert_eq!(parsed(&mail).to().unwrap().first().unwrap().address(), Some(ADA));
    }
}

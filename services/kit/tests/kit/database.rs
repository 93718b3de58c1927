//! The store: transactions, news of commits, migrations, and what it refuses.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use kit::{Database, OpenError, Timestamp, query};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::{Migrator, count, databases, effect, effects};

#[tokio::test]
async fn a_transaction_commits_whole_or_leaves_nothing() {
    for database in databases().await {
        let dropped = database.begin().await.unwrap();
        effect(&dropped, "dropped").await;
        drop(dropped);
        assert_eq!(effects(&database).await, 0);

        let kept = database.begin().await.unwrap();
        effect(&kept, "kept").await;
        kept.commit().await.unwrap();

        assert_eq!(effects(&database).await, 1);
    }
}

#[tokio::test]
async fn a_connection_is_encrypted_and_its_server_known_where_the_url_asks_for_it() {
    let Some(url) = kit::testing::postgres_url().await else { return };

    let database = Database::open(&format!("{url}&sslmode=require")).await.unwrap();
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let rows = query(database.read(), sql, []).await.unwrap();
    assert!(rows[0].try_get::<bool>("", "ssl").unwrap());

    // Nobody signed the certificate of the tests' server.
    let error = Database::open(&format!("{url}&sslmode=verify-full")).await.err().unwrap();
    assert!(matches!(error, OpenError::Storage(_)));
}

#[tokio::test]
async fn each_commit_is_announced_and_a_rollback_is_not() {
    for database in databases().await {
        let mut changes = database.changes();
        changes.mark_unchanged();

        drop(database.begin().await.unwrap());
        assert!(!changes.has_changed().unwrap());

        database.clone().begin().await.unwrap().commit().await.unwrap();
        assert!(changes.has_changed().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_take_turns_instead_of_failing() {
    for database in databases().await {
        let database = Arc::new(database);
        let writers: Vec<_> = (0..40)
            .map(|number| {
                let database = Arc::clone(&database);
                tokio::spawn(async move {
                    // Reads first: a deferred transaction would fail here when it turns to writing.
                    let tx = database.begin().await.unwrap();
                    tx.query_all_raw(Statement::from_string(database.backend(), "SELECT name FROM effects"))
                        .await
                        .unwrap();
                    effect(&tx, &number.to_string()).await;
                    tx.commit().await.unwrap();
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }

        assert_eq!(effects(&database).await, 40);
    }
}

#[tokio::test]
async fn readers_go_on_while_a_writer_writes_and_see_only_what_is_committed() {
    for database in databases().await {
        let tx = database.begin().await.unwrap();
        effect(&tx, "pending").await;

        assert_eq!(effects(&database).await, 0);

        tx.commit().await.unwrap();
        assert_eq!(effects(&database).await, 1);
    }
}

#[tokio::test]
async fn a_cancelled_transaction_does_not_block_the_next() {
    for database in databases().await {
        for micros in (0..6_000).step_by(100) {
            let attempt = async {
                let tx = database.begin().await.unwrap();
                effect(&tx, "cancelled").await;
                tokio::time::sleep(Duration::from_secs(60)).await;
                tx.commit().await.unwrap();
            };
            let _ = tokio::time::timeout(Duration::from_micros(micros), attempt).await;
        }

        let tx = database.begin().await.unwrap();
        effect(&tx, "kept").await;
        tx.commit().await.unwrap();

        assert_eq!(effects(&database).await, 1);
    }
}

#[tokio::test]
async fn the_readers_of_a_file_refuse_to_write() {
    let database = kit::testing::sqlite::<Migrator>().await;

    let written = database.read().execute_unprepared("INSERT INTO effects (name) VALUES ('x')").await;

    assert!(written.is_err());
    assert_eq!(effects(&database).await, 0);
}

#[tokio::test]
async fn times_come_back_as_they_were_written_and_compare_in_order() {
    let times: Vec<Timestamp> = [0, 1, 999, 1_000, 500_000, 1_000_000, 1_700_000_000_123_456]
        .into_iter()
        .map(|micros| DateTime::from_timestamp_micros(micros).unwrap())
        .collect();
    for database in databases().await {
        for time in times.iter().rev() {
            let sql = "INSERT INTO effects (name, happened) VALUES ('', $1)";
            let statement = Statement::from_sql_and_values(database.backend(), sql, [(*time).into()]);
            let tx = database.begin().await.unwrap();
            tx.execute_raw(statement).await.unwrap();
            tx.commit().await.unwrap();
        }

        let sql = "SELECT happened FROM effects WHERE happened >= $1 ORDER BY happened";
        let statement = Statement::from_sql_and_values(database.backend(), sql, [times[1].into()]);
        let rows = database.read().query_all_raw(statement).await.unwrap();

        let read: Vec<Timestamp> = rows.iter().map(|row| row.try_get("", "happened").unwrap()).collect();
        assert_eq!(read, times[1..]);
    }
}

#[tokio::test]
async fn a_file_keeps_its_content_and_its_promises_when_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("deep/er/shop.sqlite").display());
    let first = Database::open(&url).await.unwrap();
    first.migrate::<Migrator>().await.unwrap();
    let tx = first.begin().await.unwrap();
    effect(&tx, "kept").await;
    tx.commit().await.unwrap();
    drop(first);

    let again = Database::open(&url).await.unwrap();
    again.migrate::<Migrator>().await.unwrap();

    assert_eq!(effects(&again).await, 1);
    let tx = again.begin().await.unwrap();
    for (pragma, expected) in [("journal_mode", "wal"), ("synchronous", "1"), ("foreign_keys", "1")] {
        let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {pragma}"));
        let row = tx.query_one_raw(statement).await.unwrap().unwrap();
        let value = row
            .try_get_by_index::<String>(0)
            .or_else(|_| row.try_get_by_index::<i32>(0).map(|n| n.to_string()));
        assert_eq!(value.unwrap(), expected, "{pragma}");
    }
}

#[tokio::test]
async fn a_temporary_database_leaves_no_files_behind() {
    let database = Database::temporary().await.unwrap();
    let statement = Statement::from_string(DbBackend::Sqlite, "PRAGMA database_list");
    let row = database.read().query_one_raw(statement).await.unwrap().unwrap();
    let file: String = row.try_get("", "file").unwrap();
    let clone = database.clone();

    drop(database);
    assert!(std::fs::exists(&file).unwrap());
    clone.ping().await.unwrap();

    drop(clone);
    assert!(!std::fs::exists(&file).unwrap());
}

#[tokio::test]
async fn replicas_that_migrate_at_once_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("shop.sqlite").display());
    let urls = [Some(file), kit::testing::postgres_url().await];
    for url in urls.into_iter().flatten() {
        let (first, second) = (Database::open(&url).await.unwrap(), Database::open(&url).await.unwrap());

        let (one, two) = tokio::join!(first.migrate::<Migrator>(), second.migrate::<Migrator>());

        one.unwrap();
        two.unwrap();
        assert_eq!(count(&second, "outbox").await, 0);
    }
}

#[tokio::test]
async fn a_wrong_url_is_refused_without_being_repeated() {
    for url in ["", "shop.db", "sqlite:", "sqlite::memory:", "mysql://x", "postgres://:hunter2@[broken/shop"]
    {
        let error = Database::open(url).await.err().expect(url);
        assert!(matches!(error, OpenError::Url), "{url}: {error:?}");
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
    assert!(matches!(
        Database::open("sqlite:/proc/none/shop.sqlite").await.err(),
        Some(OpenError::Folder(_))
    ));
    assert!(matches!(Database::open("sqlite:/proc").await.err(), Some(OpenError::Storage(_))));
}

#[tokio::test]
async fn a_busy_store_is_told_from_a_wrong_statement() {
    for database in databases().await {
        let wrong = database.read().execute_unprepared("SELECT * FROM nowhere").await.unwrap_err();
        assert!(!kit::is_transient(&wrong), "{wrong:?}");
        assert!(!kit::is_transient(&sea_orm::DbErr::RecordNotInserted));
    }
    let Some(database) = kit::testing::postgres::<Migrator>().await else {
        return;
    };
    let (holder, waiter) = (database.begin().await.unwrap(), database.begin().await.unwrap());
    holder.execute_unprepared("LOCK TABLE effects").await.unwrap();

    let busy = waiter.execute_unprepared("INSERT INTO effects (name) VALUES ('x')").await.unwrap_err();

    assert!(kit::is_transient(&busy), "{busy:?}");
}

#[tokio::test]
async fn a_connection_to_postgresql_has_its_limits_and_there_are_five() {
    let Some(database) = kit::testing::postgres::<Migrator>().await else {
        return;
    };
    let mut held = Vec::new();
    for _ in 0..5 {
        let tx = database.begin().await.unwrap();
        for (setting, expected) in [
            ("statement_timeout", "10s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "30s"),
            ("application_name", "shop"),
        ] {
            let show = Statement::from_string(DbBackend::Postgres, format!("SHOW {setting}"));
            let row = tx.query_one_raw(show).await.unwrap().unwrap();
            assert_eq!(row.try_get_by_index::<String>(0).unwrap(), expected, "{setting}");
        }
        held.push(tx);
    }

    let sixth = tokio::time::timeout(Duration::from_millis(300), database.begin()).await;
    assert!(sixth.is_err(), "it waits until one is given back");
    held.pop();

    database.begin().await.unwrap();
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_busy_not_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("shop.sqlite").display());
    let (one, two) = (Database::open(&url).await.unwrap(), Database::open(&url).await.unwrap());
    let held = one.begin().await.unwrap();

    let busy = two.begin().await.err().unwrap();

    assert!(kit::is_transient(&busy), "{busy:?}");
    drop(held);
    two.begin().await.unwrap();
}

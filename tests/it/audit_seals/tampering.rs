//! Whatever is changed behind the service's back, once the database's guard is lifted, is found, and the first bad place is
//! named (16.4.2).

use super::{announced, fault, seal, verify};
use crate::support::{TestApp, database::TestDatabase, people::BOB, process::run};

/// A trail of several batches, and a copy of it to go back to.
async fn sealed_trail() -> TestApp {
    let app = TestApp::start().await;
    app.bob().await;
    seal(&app).await;
    for _ in 0..3 {
        app.sign_in(BOB).await;
        seal(&app).await;
    }
    for table in ["audit_log", "audit_seals"] {
        let copy = format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}");
        app.db.execute(&copy).await;
    }
    app.db.lift_trail_guard().await;
    app
}

async fn put_back(db: &TestDatabase) {
    for table in ["audit_log", "audit_seals"] {
        let sql = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}");
        db.execute(&sql).await;
    }
}

/// Finds this after these statements, and nothing when all is put back.
async fn is_found(app: &TestApp, sql: &str, expected: &str) {
    assert!(app.db.execute(sql).await > 0, "{sql}");
    assert_eq!(fault(&app.db, &[]).await, expected, "{sql}");
    put_back(&app.db).await;
}

/// Bytes as the database writes them.
fn bytes(db: &TestDatabase, hex: &str) -> String {
    if db.is_postgres() {
        format!("'\\x{hex}'::bytea")
    } else {
        format!("X'{hex}'")
    }
}

/// An id as the database writes it.
fn id(db: &TestDatabase) -> String {
    if db.is_postgres() {
        "'00000000-0000-7000-8000-000000000000'::uuid".to_owned()
    } else {
        bytes(db, "00000000000070008000000000000000")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v16_4_2_a_change_of_any_column_of_an_entry_is_found() {
    let app = sealed_trail().await;
    let (other, id) = (bytes(&app.db, "00"), id(&app.db));
    let later = if app.db.is_postgres() {
        "at + interval '1 microsecond'"
    } else {
        "replace(at, '2026', '2025')"
    };
    let changes = [
        ("id", id.as_str()),
        ("at", later),
        ("action", "'Login'"),
        ("outcome", "'refused'"),
        ("actor_type", "'system'"),
        ("actor_id", &id),
        ("subject_id", &id),
        ("key_owner", &id),
        ("ip_sealed", &other),
        ("ip_index", &other),
        ("user_agent_sealed", "NULL"),
        ("request_id", "request_id || 'x'"),
        ("details", "'{\"a\":1}'"),
        ("hash", &other),
    ];
    for (column, value) in changes {
        let sql = format!("UPDATE audit_log SET {column} = {value} WHERE sequence = 3");
        is_found(&app, &sql, "entry_changed 3").await;
    }
    assert_eq!(fault(&app.db, &[]).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn v16_4_2_deleted_inserted_reordered_and_unsealed_entries_are_found() {
    let app = sealed_trail().await;
    let last = app.db.number("SELECT max(sequence) FROM audit_log").await;
    let delete = "DELETE FROM audit_log WHERE sequence = 2";
    is_found(&app, delete, "entry_missing 2").await;
    let close_up = "DELETE FROM audit_log WHERE sequence = 2;
        UPDATE audit_log SET sequence = -sequence WHERE sequence > 2;
        UPDATE audit_log SET sequence = -sequence - 1 WHERE sequence < 0";
    is_found(&app, close_up, "entry_changed 2").await;
    let swap = "UPDATE audit_log SET sequence = -2 WHERE sequence = 2;
        UPDATE audit_log SET sequence = 2 WHERE sequence = 3;
        UPDATE audit_log SET sequence = 3 WHERE sequence = -2";
    is_found(&app, swap, "entry_changed 2").await;
    let unseal = "UPDATE audit_log SET sequence = NULL, hash = NULL WHERE sequence = 3";
    is_found(&app, unseal, "entry_missing 3").await;
    let columns = "at, action, outcome, actor_type, request_id, details, hash";
    let id = id(&app.db);
    let insert = |sequence: i64| {
        format!(
            "INSERT INTO audit_log (id, sequence, {columns})
             SELECT {id}, {sequence}, {columns} FROM audit_log WHERE sequence = 1"
        )
    };
    is_found(&app, &insert(0), "entry_inserted 0").await;
    let after = format!("entry_uncovered {}", last + 1);
    is_found(&app, &insert(last + 1), &after).await;
    app.db.execute("DROP INDEX audit_log_sequence_key").await;
    is_found(&app, &insert(2), "entry_inserted 2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v16_4_2_changed_and_missing_checkpoints_are_found() {
    let app = sealed_trail().await;
    let first = app.db.number("SELECT min(sequence) FROM audit_seals").await;
    let (next, other) = (first + 1, bytes(&app.db, "00"));
    for change in [
        "count = count + 1",
        "kind = 'beginning'",
        "key_id = 'x'",
        &format!("hash = {other}"),
        &format!("signature = {other}"),
    ] {
        let sql = format!("UPDATE audit_seals SET {change} WHERE sequence = {first}");
        is_found(&app, &sql, &format!("checkpoint_changed {first}")).await;
    }
    let delete = format!("DELETE FROM audit_seals WHERE sequence = {next}");
    let following = app
        .db
        .number(&format!(
            "SELECT min(sequence) FROM audit_seals WHERE sequence > {next}"
        ))
        .await;
    is_found(&app, &delete, &format!("checkpoint_missing {following}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v16_4_2_a_cut_tail_is_found_by_the_last_checkpoint_or_by_one_from_the_log() {
    let app = sealed_trail().await;
    let last = app.db.number("SELECT max(sequence) FROM audit_log").await;
    let cut = format!("DELETE FROM audit_log WHERE sequence = {last}");
    is_found(&app, &cut, &format!("entry_missing {last}")).await;
    // The checkpoint as well: then only who has kept one elsewhere can tell.
    let places = announced(&app);
    let place = places.last().unwrap();
    app.db
        .execute(&format!(
            "{cut}; DELETE FROM audit_seals WHERE sequence = {last}"
        ))
        .await;
    assert_eq!(fault(&app.db, &[]).await, "");
    let known = ["--checkpoint", place.as_str()];
    let report = verify(&app.db, &known).await;
    assert_eq!(report["fault"]["code"], "tail_cut");
    assert_eq!(report["fault"]["sequence"].to_string(), last.to_string());
    // What comes later does not hide it.
    app.sign_in(BOB).await;
    seal(&app).await;
    assert_eq!(fault(&app.db, &[]).await, "");
    let hidden = fault(&app.db, &known).await;
    assert_eq!(hidden, format!("chain_rewritten {last}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_at_the_end_stays_when_the_chain_goes_on() {
    let app = sealed_trail().await;
    let last = app.db.number("SELECT max(sequence) FROM audit_log").await;
    app.db
        .execute(&format!("DELETE FROM audit_log WHERE sequence = {last}"))
        .await;
    app.sign_in(BOB).await;
    seal(&app).await;
    assert_eq!(fault(&app.db, &[]).await, format!("entry_missing {last}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_bad_entry_is_named_in_words_and_the_command_fails() {
    let app = sealed_trail().await;
    let whole = run(&app.db, &["audit", "verify"], &[]).await.success();
    assert!(whole.starts_with("the audit trail is whole: "), "{whole}");
    for sequence in [4, 3] {
        let sql = format!("UPDATE audit_log SET action = 'x' WHERE sequence = {sequence}");
        app.db.execute(&sql).await;
    }
    let said = run(&app.db, &["audit", "verify"], &[]).await.refusal();
    assert!(said.contains("at 3 ("), "{said}");
    assert!(said.ends_with("the entry is not what was sealed"), "{said}");
    let odd = ["audit", "verify", "--checkpoint", "7"];
    let odd = run(&app.db, &odd, &[]).await.refusal();
    assert!(odd.contains("SEQUENCE:HASH"), "{odd}");
}

//! Who may do what: every operation of the document against every kind of caller. A new operation fails here until the
//! table says who may.

mod grants;
mod paths;
mod rank;
mod table;
mod trail;

use crate::support::{
    Reply, TestApp,
    app::ADA,
    document::{Document, Operation, Token},
    people::{BOB, CAROL, DAVE, MAX, PIA},
};
use std::collections::BTreeSet;
use table::{Grants, SUFFIXES, TABLE, Who, who_may};

pub use table::is_for_staff;

/// Everybody in the table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Anonymous,
    Garbage,
    /// With a token of an account that may not act any more, or not yet.
    Barred(&'static str),
    /// With this role, and premium or not.
    Person(&'static str, &'static str, bool),
}

const CALLERS: [Caller; 9] = [
    Caller::Anonymous,
    Caller::Garbage,
    Caller::Barred(DAVE),
    Caller::Barred(CAROL),
    Caller::Barred("tom@example.com"),
    Caller::Person(BOB, "user", false),
    Caller::Person(PIA, "user", true),
    Caller::Person(MAX, "manager", false),
    Caller::Person(ADA, "admin", false),
];

/// 401, 403 or through to the handler's own rules.
#[derive(Debug, PartialEq, Eq)]
enum Class {
    Unauthenticated,
    Forbidden,
    Through,
}

/// What the permission table lets each of the callers do.
async fn grants(app: &TestApp) -> Vec<(&'static str, Grants)> {
    let mut all = Vec::new();
    for caller in CALLERS {
        if let Caller::Person(email, role, has_premium) = caller {
            all.push((email, Grants::of(app, role, has_premium).await));
        }
    }
    all
}

/// What that makes of the table of operations.
fn expected(grants: &[(&'static str, Grants)], who: Who, caller: Caller) -> Class {
    match (who, caller) {
        (Who::Anyone, _) | (Who::AnyoneOrUser, Caller::Anonymous) => Class::Through,
        (_, Caller::Anonymous | Caller::Garbage | Caller::Barred(_)) => Class::Unauthenticated,
        (_, Caller::Person(email, ..)) => {
            let own = grants.iter().find(|(person, _)| *person == email);
            if own.is_some_and(|(_, own)| own.reach(who)) {
                Class::Through
            } else {
                Class::Forbidden
            }
        }
    }
}

fn class(reply: &Reply) -> Class {
    match reply.status {
        401 => Class::Unauthenticated,
        403 => Class::Forbidden,
        405 | 500.. => panic!("{} {}", reply.status, reply.text),
        _ => Class::Through,
    }
}

/// Brings back who has ended the account by an operation; those who were barred before have a mark.
const REVIVE: &str = "UPDATE users SET status = 'active' WHERE status = 'terminated' AND location IS DISTINCT FROM 'barred'";
/// Brings back the tiers that an operation has changed; Pia has a mark.
const RESTORE: &str = "UPDATE users SET tier = CASE WHEN location = 'premium' THEN 'premium' ELSE 'basic' END, tier_until = NULL";

/// A database with everybody in it.
async fn everybody() -> (TestApp, Vec<(&'static str, String)>) {
    let app = TestApp::start().await;
    let mut tokens = Vec::new();
    for (email, status) in [
        (DAVE, "deactivated"),
        (CAROL, "pending"),
        ("tom@example.com", "terminated"),
    ] {
        let person = app.person(email).await;
        let sql =
            format!("UPDATE users SET status = '{status}', location = 'barred' WHERE id = $id");
        app.set_in_users_table(email, &person.id, &sql).await;
        tokens.push((email, person.access));
    }
    app.bob().await;
    let pia = app.pia().await;
    let sql = "UPDATE users SET location = 'premium' WHERE id = $id";
    app.set_in_users_table(PIA, &pia.id, sql).await;
    app.max().await;
    (app, tokens)
}

/// An empty body is enough to tell who gets through, and changes nothing.
async fn ask(app: &TestApp, operation: &Operation, token: Option<&str>) -> Reply {
    let mut request = operation.request(app);
    if let Some(token) = token {
        request = request.bearer(token);
    }
    if operation.body.is_some() {
        request = request.json(serde_json::json!({}));
    }
    request.send().await
}

#[test]
fn the_table_of_callers_is_in_order() {
    assert!(TABLE.is_sorted_by_key(|(name, _)| name));
}

/// What the document must say where the table says this.
fn documented(who: Who, operation: &Operation) -> Token {
    match who {
        // Open in development, so its token is optional.
        Who::Anyone if operation.token == Token::Optional => Token::Optional,
        Who::Anyone => Token::Ignored,
        Who::AnyoneOrUser => Token::Optional,
        Who::User | Who::Premium | Who::May(_) => Token::Required,
    }
}

/// A new token for those who may sign in: the operation that was asked before may have ended session or account.
async fn token_of(
    app: &TestApp,
    caller: Caller,
    barred: &[(&'static str, String)],
) -> Option<String> {
    match caller {
        Caller::Anonymous => None,
        Caller::Garbage => Some("garbage".to_owned()),
        Caller::Barred(email) => {
            let found = barred.iter().find(|(name, _)| *name == email);
            found.map(|(_, token)| token.clone())
        }
        Caller::Person(email, ..) => {
            app.db.execute(REVIVE).await;
            app.db.execute(RESTORE).await;
            Some(app.sign_in(email).await.access)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z3_every_operation_lets_through_whom_the_table_names_and_nobody_else() {
    let (app, barred) = everybody().await;
    let mut seen = BTreeSet::new();
    let grants = grants(&app).await;
    for operation in Document::of(&app).await.operations() {
        let place = operation.place();
        let who = who_may(&operation)
            .unwrap_or_else(|| panic!("{place}: {} is not in the table", operation.id));
        assert_eq!(operation.token, documented(who, &operation), "{place}");
        seen.insert(operation.id.clone());
        for caller in CALLERS {
            let token = token_of(&app, caller, &barred).await;
            let reply = ask(&app, &operation, token.as_deref()).await;
            let told = class(&reply);
            let text = &reply.text;
            let expected = expected(&grants, who, caller);
            assert_eq!(told, expected, "{place} {caller:?}: {text}");
            if told == Class::Unauthenticated {
                assert!(reply.header("www-authenticate").starts_with("Bearer"));
                assert_eq!(reply.header("content-type"), "application/problem+json");
            }
        }
    }
    for (name, _) in TABLE {
        assert!(seen.contains(*name), "{name} is in the table only");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z10_what_is_no_access_token_opens_no_operation() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let parts: Vec<&str> = bob.access.split('.').collect();
    let not_tokens = [
        String::new(),
        "Bearer".to_owned(),
        format!("Basic {}", bob.access),
        format!("Token {}", bob.access),
        format!("Bearer {}", bob.refresh),
        format!("Bearer {}", bob.id),
        format!("Bearer {}.{}.", parts[0], parts[1]),
        format!("Bearer {}.{}.{}", parts[0], parts[1], "A".repeat(86)),
        format!("Bearer {},{}", bob.access, bob.access),
    ];
    let mut asked = 0;
    for operation in Document::of(&app).await.operations() {
        if operation.token != Token::Required {
            continue;
        }
        for value in &not_tokens {
            asked += 1;
            let mut request = operation.request(&app).header("authorization", value);
            if let Some(body) = &operation.body {
                request = request.json(body.clone());
            }
            let reply = request.send().await.expect(401);
            let told = reply.header("www-authenticate");
            assert!(
                told.starts_with("Bearer"),
                "{} {value}: {told}",
                operation.place()
            );
        }
        let cookie = format!("access_token={}; token={}", bob.access, bob.access);
        let by_cookie = operation.request(&app).header("cookie", &cookie);
        by_cookie.send().await.expect(401);
        let by_query = format!("{}?access_token={}", operation.target(), bob.access);
        let by_query = app.request(operation.method.clone(), &by_query);
        by_query.send().await.expect(401);
    }
    assert!(asked > 100, "only {asked} requests");
}

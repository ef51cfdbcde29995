//! Staff at its own account: by the same rules as everybody.

use super::{NEW, at};
use crate::support::{TestApp, app::ADA};
use axum::http::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_the_own_address_without_password_and_answer() {
    let app = TestApp::start().await;
    let (ada, _) = (app.ada().await, app.max_as_admin().await);
    let before = app.get_as(&ada.access, &at(&ada)).await.expect(200);
    for method in [Method::PATCH, Method::PUT] {
        let body = json!({ "email": NEW, "full_name": "Half Done" });
        app.ask(method, &ada.access, &at(&ada), body)
            .await
            .expect_problem(409, "conflict");
        assert_eq!(app.audit().await.last().unwrap(), "update_user refused");
    }
    let after = app.get_as(&ada.access, &at(&ada)).await.expect(200);
    assert_eq!(after.body, before.body);
    assert!(app.mails_to(NEW).await.is_empty());
    // The same address is no change.
    let body = json!({ "email": ADA, "full_name": "Ada Again" });
    let same = app.ask(Method::PATCH, &ada.access, &at(&ada), body).await;
    let same = same.expect(200).body;
    assert_eq!(
        json!([same["email"], same["is_verified"]]),
        json!([ADA, true])
    );
}

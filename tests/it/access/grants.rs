//! Which permission each operation of staff asks for: found out by giving managers one alone.

use super::{Class, Who, ask, class, who_may};
use crate::support::{
    TestApp,
    document::{Document, Operation},
    people::MAX,
};
use std::collections::{BTreeMap, BTreeSet};

/// Each permission, and the operations that it alone opens.
async fn opened(app: &TestApp, operations: &[Operation]) -> BTreeMap<String, BTreeSet<String>> {
    let permissions = "SELECT permission FROM role_permissions WHERE role = 'admin'";
    let mut opened = BTreeMap::new();
    for permission in app.db.texts(permissions).await {
        app.db
            .execute("DELETE FROM role_permissions WHERE role = 'manager'")
            .await;
        app.db
            .execute(&format!(
                "INSERT INTO role_permissions (role, permission) VALUES ('manager', '{permission}')"
            ))
            .await;
        let max = app.sign_in(MAX).await;
        let mut through = BTreeSet::new();
        for operation in operations {
            let reply = ask(app, operation, Some(&max.access)).await;
            if class(&reply) == Class::Through {
                through.insert(operation.place());
            }
        }
        opened.insert(permission, through);
    }
    opened
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_of_staff_asks_for_the_permission_that_the_table_names() {
    let app = TestApp::start().await;
    app.max().await;
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut operations = Document::of(&app).await.operations();
    operations.retain(|operation| {
        let Some(Who::May(permission)) = who_may(operation) else {
            return false;
        };
        let places = named.entry(permission.to_owned()).or_default();
        places.insert(operation.place())
    });
    assert!(operations.len() > 30, "only {}", operations.len());
    assert_eq!(opened(&app, &operations).await, named);
}

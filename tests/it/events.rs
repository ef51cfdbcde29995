//! Events for other systems: the feed, and the order in which all of them are read everywhere.

mod feed;
mod letters;
mod positions;
mod retention;

use crate::support::{Reply, TestApp, people::Person};
use serde_json::Value;

const EVENTS: &str = "/api/v1/events";

/// The feed as somebody reads it, with every event in it that was committed so far.
async fn read(app: &TestApp, who: &Person, query: &str) -> Reply {
    app.catch_up().await;
    app.app.place_events().await.unwrap();
    app.get_as(&who.access, &format!("{EVENTS}{query}")).await
}

fn items(reply: &Reply) -> &Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body["items"].as_array().unwrap()
}

/// A member of each event of a page.
fn each(reply: &Reply, member: &str) -> Vec<String> {
    let text = |item: &Value| item[member].as_str().unwrap_or_default().to_owned();
    items(reply).iter().map(text).collect()
}

/// Where a page says that later events will be.
fn monitor(reply: &Reply) -> String {
    let href = reply.body["_links"]["monitor"]["href"].as_str().unwrap();
    href.strip_prefix(EVENTS).unwrap().to_owned()
}

//! Requests that start at the same moment, each in a task of its own, to win races with.

use super::{Reply, TestApp};
use axum::http::Method;
use serde_json::Value;
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

/// A `POST` of a race: access token, path, body.
pub type Post = (Option<String>, &'static str, Value);

/// Sends them all at once, spread over the nodes; the replies in the order of the requests.
pub async fn post_at_once(nodes: &[Arc<TestApp>], posts: Vec<Post>) -> Vec<Reply> {
    let start = Arc::new(Barrier::new(posts.len()));
    let mut running = JoinSet::new();
    for (place, (token, path, body)) in posts.into_iter().enumerate() {
        let app = Arc::clone(&nodes[place % nodes.len()]);
        let start = Arc::clone(&start);
        running.spawn(async move {
            start.wait().await;
            let reply = match token {
                Some(token) => app.post_as(&token, path, body).await,
                None => app.post(path, body).await,
            };
            (place, reply)
        });
    }
    let mut replies = running.join_all().await;
    replies.sort_by_key(|(place, _)| *place);
    replies.into_iter().map(|(_, reply)| reply).collect()
}

/// A request of a race: method, access token, path, body.
pub type Ask = (Method, String, String, Value);

/// The same for requests of any method.
pub async fn ask_at_once(nodes: &[Arc<TestApp>], asks: Vec<Ask>) -> Vec<Reply> {
    let start = Arc::new(Barrier::new(asks.len()));
    let mut running = JoinSet::new();
    for (place, (method, token, path, body)) in asks.into_iter().enumerate() {
        let app = Arc::clone(&nodes[place % nodes.len()]);
        let start = Arc::clone(&start);
        running.spawn(async move {
            start.wait().await;
            (place, app.ask(method, &token, &path, body).await)
        });
    }
    let mut replies = running.join_all().await;
    replies.sort_by_key(|(place, _)| *place);
    replies.into_iter().map(|(_, reply)| reply).collect()
}

/// How many of them have this status.
pub fn count(replies: &[Reply], status: u16) -> usize {
    replies
        .iter()
        .filter(|reply| reply.status == status)
        .count()
}

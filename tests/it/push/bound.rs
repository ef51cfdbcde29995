//! How soon the others know: two nodes that nothing holds still for, by the clock on the wall.

use super::ME;
use crate::support::{app::ADA, database::TestDatabase, process::Service};
use std::time::{Duration, Instant};

/// The longest that a session may go on elsewhere after it has ended.
const BOUND: Duration = Duration::from_secs(1);
/// Far longer than that, and far shorter than a node believes its memory.
const PATIENCE: Duration = Duration::from_secs(20);
const ROUNDS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn j9_what_ends_on_one_node_has_ended_on_the_other_within_a_second() {
    let db = TestDatabase::create().await;
    // A file has one node.
    if !db.is_postgres() {
        return;
    }
    let (one, other) = (
        Service::start(&db, &[]).await,
        Service::start(&db, &[]).await,
    );
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let signed_in = one.sign_in(ADA).await;
        let token = signed_in["access_token"].as_str().unwrap();
        assert_eq!(other.get_as(token, ME).await, 200);
        let logout = one.client.post(one.url("/logout")).bearer_auth(token);
        assert_eq!(logout.send().await.unwrap().status().as_u16(), 204);
        let begun = Instant::now();
        assert_eq!(one.get_as(token, ME).await, 401);
        while other.get_as(token, ME).await != 401 {
            assert!(begun.elapsed() < PATIENCE, "it goes on elsewhere");
        }
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    // One round may meet a machine that stands still.
    assert!(times[ROUNDS - 2] <= BOUND, "{times:?}");
    one.stop().await;
    other.stop().await;
}

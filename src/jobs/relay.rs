//! Delivers events to the broker: one of several nodes leads, the others stand by and take over when it is gone. Trouble
//! makes it rest, longer each time; when told to stop it delivers what is left, for a short while.

use crate::{
    domain::Result,
    services::{
        Services,
        events::{held_back::HeldBack, relay::observe_held_back},
    },
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often whoever does not lead looks whether somebody still does.
const STAND_BY: Duration = Duration::from_secs(2);
/// Events of other nodes are placed without this one hearing of it.
const BEAT: Duration = Duration::from_secs(1);
/// How soon to look again at the end for what another gives positions to.
const PLACED_ELSEWHERE: Duration = Duration::from_millis(20);
/// For what is left at the end.
const FLUSH: Duration = Duration::from_secs(5);

/// Runs until told to stop.
pub async fn run(services: Services, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match lead(&services, &stop).await {
            Ok(()) => {
                let pause = tokio::time::sleep(STAND_BY);
                tokio::select! { () = pause => {}, () = stop.cancelled() => {} }
            }
            Err(error) => super::rest_after("relay", &error, &stop).await,
        }
    }
}

/// Leads until told to stop or until the lead is lost; at once back if another node has it.
async fn lead(services: &Services, stop: &CancellationToken) -> Result<()> {
    let Some(mut lead) = services.lead_relay().await? else {
        return Ok(());
    };
    metrics::gauge!("usher_events_leading").set(1.0);
    let (mut held, mut failures) = (HeldBack::default(), 0);
    let mut outcome = Ok(());
    while !stop.is_cancelled() && lead.holds().await {
        let relayed = tokio::select! {
            relayed = services.relay_events(&mut held) => relayed,
            () = late(stop) => break,
        };
        let pause = match relayed {
            Ok(relayed) if relayed.is_stuck => {
                failures += 1;
                Some(services.pause_of_relay(failures))
            }
            Ok(relayed) => {
                failures = 0;
                (relayed.delivered == 0).then_some(Duration::ZERO)
            }
            Err(error) => {
                outcome = Err(error);
                break;
            }
        };
        match pause {
            Some(Duration::ZERO) => {
                let placed = services.wait_for_placed(BEAT);
                tokio::select! { () = placed => {}, () = stop.cancelled() => {} }
            }
            Some(pause) => {
                let pause = tokio::time::sleep(pause);
                tokio::select! { () = pause => {}, () = stop.cancelled() => {} }
            }
            None => {}
        }
    }
    if stop.is_cancelled() && outcome.is_ok() {
        let _ = tokio::time::timeout(FLUSH, flush(services, &mut held)).await;
    }
    lead.give_back().await;
    metrics::gauge!("usher_events_leading").set(0.0);
    observe_held_back(0);
    outcome
}

/// Somebody who waits for a broker is not waited for.
async fn late(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(FLUSH).await;
}

/// Whatever was committed before the end, as long as the broker takes it: also what somebody else is giving positions to.
async fn flush(services: &Services, held: &mut HeldBack) -> Result<()> {
    loop {
        services.place_events().await?;
        let placing = services.has_unplaced_events().await?;
        let relayed = services.relay_events(held).await?;
        match (relayed.delivered, placing) {
            _ if relayed.is_stuck => return Ok(()),
            (0, false) => return Ok(()),
            (0, true) => services.wait_for_placed(PLACED_ELSEWHERE).await,
            _ => {}
        }
    }
}

//! The chain by itself: unambiguous forms, and every kind of damage found at its place.

use super::*;
use crate::domain::{id::AuditId, secret::Sealed};
use proptest::prelude::*;
use uuid::Uuid;

fn entry(number: u128) -> StoredEntry {
    StoredEntry {
        id: AuditId(Uuid::from_u128(number)),
        at: Timestamp::from_timestamp_millis(1_767_614_400_123).unwrap(),
        action: "login".to_owned(),
        outcome: "success".to_owned(),
        actor_type: "user".to_owned(),
        actor_id: Some(UserId(Uuid::from_u128(7))),
        subject_id: None,
        key_owner: Some(UserId(Uuid::from_u128(7))),
        ip: Some(Sealed(vec![1, 2])),
        ip_index: Some(vec![3]),
        user_agent: None,
        request_id: "r".to_owned(),
        details: "{}".to_owned(),
    }
}

fn chain(length: i64) -> Vec<SealedEntry> {
    let mut previous = ChainHash::START;
    (1..=length)
        .map(|sequence| {
            let entry = entry(u128::try_from(sequence).unwrap());
            previous = entry.chained(sequence, previous);
            SealedEntry {
                sequence,
                hash: previous.0.to_vec(),
                entry,
            }
        })
        .collect()
}

fn checkpoint(chain: &[SealedEntry], count: i64) -> Checkpoint {
    let last = chain.last().unwrap();
    Checkpoint {
        kind: CheckpointKind::Batch,
        sequence: last.sequence,
        hash: ChainHash(last.hash.clone().try_into().unwrap()),
        count,
        at: last.entry.at,
        key_id: "k".to_owned(),
        signature: Vec::new(),
    }
}

fn walk(chain: &[SealedEntry], last: &Checkpoint) -> Result<(), (Damage, i64)> {
    let mut walk = ChainWalk::from(None, None);
    chain
        .iter()
        .try_for_each(|entry| walk.entry(entry))
        .and_then(|()| walk.checkpoint(last))
        .and_then(|()| walk.end())
        .map_err(|fault| (fault.damage, fault.sequence))
}

#[test]
fn a_whole_chain_is_walked_to_its_end() {
    let chain = chain(5);
    assert_eq!(walk(&chain, &checkpoint(&chain, 5)), Ok(()));
}

#[test]
fn every_change_of_a_column_changes_the_hash() {
    let changes: [fn(&mut StoredEntry); 13] = [
        |e| e.id = AuditId(Uuid::from_u128(99)),
        |e| e.at += chrono::TimeDelta::microseconds(1),
        |e| e.action.push('x'),
        |e| e.outcome = "failed".to_owned(),
        |e| e.actor_type = "system".to_owned(),
        |e| e.actor_id = None,
        |e| e.subject_id = e.actor_id,
        |e| e.key_owner = None,
        |e| e.ip = Some(Sealed(vec![1, 3])),
        |e| e.ip_index = None,
        |e| e.user_agent = Some(Sealed(Vec::new())),
        |e| e.request_id.clear(),
        |e| e.details = "{ }".to_owned(),
    ];
    for (column, change) in changes.into_iter().enumerate() {
        let mut chain = chain(3);
        let whole = checkpoint(&chain, 3);
        change(&mut chain[1].entry);
        let found = walk(&chain, &whole);
        assert_eq!(found, Err((Damage::EntryChanged, 2)), "column {column}");
    }
}

#[test]
fn a_hole_a_cut_tail_a_swap_and_a_stranger_are_told_apart() {
    let whole = chain(4);
    let end = checkpoint(&whole, 4);
    let mut holed = whole.clone();
    holed.remove(1);
    assert_eq!(walk(&holed, &end), Err((Damage::EntryMissing, 2)));
    assert_eq!(walk(&whole[..3], &end), Err((Damage::EntryMissing, 4)));
    let mut swapped = whole.clone();
    (swapped[1].sequence, swapped[2].sequence) = (3, 2);
    swapped.swap(1, 2);
    assert_eq!(walk(&swapped, &end), Err((Damage::EntryChanged, 2)));
    let mut doubled = whole.clone();
    doubled.insert(1, whole[0].clone());
    assert_eq!(walk(&doubled, &end), Err((Damage::EntryInserted, 1)));
}

#[test]
fn a_chain_that_was_written_anew_does_not_lead_to_the_checkpoint() {
    let whole = chain(4);
    let mut known = checkpoint(&whole, 4);
    known.hash = ChainHash([9; 32]);
    assert_eq!(walk(&whole, &known), Err((Damage::ChainRewritten, 4)));
    let gap = checkpoint(&whole, 3);
    assert_eq!(walk(&whole, &gap), Err((Damage::CheckpointMissing, 4)));
}

#[test]
fn a_place_that_left_the_machine_must_lie_on_the_way() {
    let whole = chain(3);
    let place = KnownPlace {
        sequence: 3,
        hash: ChainHash(whole[2].hash.clone().try_into().unwrap()),
    };
    let through = |chain: &[SealedEntry], known| {
        let mut walk = ChainWalk::from(None, Some(known));
        chain
            .iter()
            .try_for_each(|entry| walk.entry(entry))
            .and_then(|()| walk.end())
            .map_err(|fault| (fault.damage, fault.sequence))
    };
    assert_eq!(through(&whole, place), Ok(()));
    assert_eq!(through(&whole[..2], place), Err((Damage::TailCut, 3)));
    let other = KnownPlace {
        hash: ChainHash::START,
        ..place
    };
    assert_eq!(through(&whole, other), Err((Damage::ChainRewritten, 3)));
}

proptest! {
    #[test]
    fn a_place_survives_its_text(sequence in 1_i64.., hash: [u8; 32]) {
        let hash = ChainHash(hash);
        let read = KnownPlace::parse(&format!("{sequence}:{hash}"));
        prop_assert_eq!(read, Some(KnownPlace { sequence, hash }));
    }

    #[test]
    fn other_text_is_no_place(text in "\\PC{0,60}") {
        if let Some(place) = KnownPlace::parse(&text) {
            prop_assert!(text.ends_with(&place.hash.to_string()));
        }
    }

    #[test]
    fn neighbouring_fields_do_not_run_into_each_other(text in "[a-z]{2,20}", cut in 1_usize..) {
        let cut = 1 + cut % (text.len() - 1);
        let (mut one, mut two) = (entry(1), entry(1));
        (one.action, one.outcome) = (text.clone(), String::new());
        (two.action, two.outcome) = (text[..cut].to_owned(), text[cut..].to_owned());
        prop_assert_ne!(one.chained(1, ChainHash::START), two.chained(1, ChainHash::START));
    }
}

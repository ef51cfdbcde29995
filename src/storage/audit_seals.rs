//! The chain over the audit trail: entries get place and hash once, checkpoints are kept beside them. Reads for checking
//! take rows as they are, for somebody may have changed them.

use super::{
    audit,
    entity::{audit_log, audit_seals},
    lead,
};
use crate::domain::{
    Result, Timestamp,
    audit::StoredEntry,
    audit_chain::{ChainHash, Checkpoint, CheckpointKind, KnownPlace, SealedEntry},
    id::AuditId,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Order,
    PaginatorTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, Select,
    Statement, Value,
};

/// `audit` in ASCII: the key of the lock that the sealing node takes.
const LOCK: i64 = 0x61_75_64_69_74;

/// What keeps an entry that cannot be read from being checked: where it is, as far as that can be read.
#[derive(Debug)]
pub struct Unreadable {
    pub sequence: Option<i64>,
    pub id: Option<AuditId>,
}

/// Whether this transaction may write to the chain.
pub async fn try_lead(db: &impl ConnectionTrait) -> Result<bool> {
    lead::try_lead(db, LOCK).await
}

/// Up to `limit` entries that have no place yet, oldest first.
pub async fn list_unsealed(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<StoredEntry>> {
    let rows = audit_log::Entity::find()
        .filter(audit_log::Column::Sequence.is_null())
        .order_by_asc(audit_log::Column::At)
        .order_by_asc(audit_log::Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(audit::entry).collect())
}

/// How many entries have no place yet.
pub async fn count_unsealed(db: &impl ConnectionTrait) -> Result<u64> {
    let unsealed = audit_log::Entity::find().filter(audit_log::Column::Sequence.is_null());
    Ok(unsealed.count(db).await?)
}

/// The entry at the end of the chain.
pub async fn find_last_place(db: &impl ConnectionTrait) -> Result<Option<KnownPlace>> {
    let last = audit_log::Entity::find()
        .select_only()
        .columns([audit_log::Column::Sequence, audit_log::Column::Hash])
        .filter(audit_log::Column::Sequence.is_not_null())
        .order_by_desc(audit_log::Column::Sequence)
        .limit(1);
    let last = last.into_tuple::<(i64, Vec<u8>)>().one(db).await?;
    Ok(last.map(|(sequence, hash)| KnownPlace {
        sequence,
        hash: chain_hash(hash),
    }))
}

/// Gives entries their places; how many had none before.
pub async fn update_places(
    db: &impl ConnectionTrait,
    places: Vec<(AuditId, KnownPlace)>,
) -> Result<u64> {
    let mut rows = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    for (id, place) in places {
        let first = values.len() + 1;
        rows.push(format!("(${first}, ${}, ${})", first + 1, first + 2));
        values.extend([
            id.0.into(),
            place.sequence.into(),
            place.hash.0.to_vec().into(),
        ]);
    }
    let sql = format!(
        "WITH place (id, sequence, hash) AS (VALUES {}) \
         UPDATE audit_log SET sequence = place.sequence, hash = place.hash FROM place \
         WHERE audit_log.id = place.id AND audit_log.sequence IS NULL",
        rows.join(", ")
    );
    let update = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(db.execute_raw(update).await?.rows_affected())
}

/// Up to `limit` entries of the chain after this place, in its order.
pub async fn list_sealed(
    db: &impl ConnectionTrait,
    after: i64,
    limit: u64,
) -> Result<Vec<Result<SealedEntry, Unreadable>>> {
    let page = sealed_after(after)
        .order_by_asc(audit_log::Column::Sequence)
        .limit(limit)
        .build(db.get_database_backend());
    let rows = db.query_all_raw(page).await?;
    Ok(rows.iter().map(read_sealed).collect())
}

fn read_sealed(row: &QueryResult) -> Result<SealedEntry, Unreadable> {
    let read = audit_log::Model::from_query_result(row, "").ok();
    let sealed = read.and_then(|mut row| {
        Some(SealedEntry {
            sequence: row.sequence?,
            // A hash that was taken away is as wrong as any other.
            hash: row.hash.take().unwrap_or_default(),
            entry: audit::entry(row),
        })
    });
    sealed.ok_or_else(|| Unreadable {
        sequence: row.try_get("", "sequence").ok(),
        id: row.try_get("", "id").ok().map(AuditId),
    })
}

fn sealed_after(after: i64) -> Select<audit_log::Entity> {
    audit_log::Entity::find().filter(audit_log::Column::Sequence.gt(after))
}

/// How many entries of the chain lie after one place and up to another.
pub async fn count_sealed(db: &impl ConnectionTrait, after: i64, to: i64) -> Result<u64> {
    let between = sealed_after(after).filter(audit_log::Column::Sequence.lte(to));
    Ok(between.count(db).await?)
}

/// Adds a checkpoint.
pub async fn insert_checkpoint(db: &impl ConnectionTrait, checkpoint: &Checkpoint) -> Result<()> {
    audit_seals::Entity::insert(row(checkpoint))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes a checkpoint over the one of the same place.
pub async fn update_checkpoint(db: &impl ConnectionTrait, checkpoint: &Checkpoint) -> Result<()> {
    audit_seals::Entity::update_many()
        .set(row(checkpoint))
        .filter(audit_seals::Column::Sequence.eq(checkpoint.sequence))
        .exec(db)
        .await?;
    Ok(())
}

/// The newest checkpoint.
pub async fn find_last_checkpoint(db: &impl ConnectionTrait) -> Result<Option<Checkpoint>> {
    let last = audit_seals::Entity::find().order_by_desc(audit_seals::Column::Sequence);
    Ok(read_checkpoints(db, last.limit(1)).await?.pop())
}

/// The newest checkpoint of before this time.
pub async fn find_checkpoint_before(
    db: &impl ConnectionTrait,
    before: Timestamp,
) -> Result<Option<Checkpoint>> {
    let last = audit_seals::Entity::find()
        .filter(audit_seals::Column::At.lt(before))
        .order_by_desc(audit_seals::Column::At)
        .order_by_desc(audit_seals::Column::Sequence);
    Ok(read_checkpoints(db, last.limit(1)).await?.pop())
}

/// Where the chain begins, if not with the first entry.
pub async fn find_beginning(db: &impl ConnectionTrait) -> Result<Option<Checkpoint>> {
    let beginning = audit_seals::Entity::find()
        .filter(audit_seals::Column::Kind.eq(CheckpointKind::Beginning.as_str()))
        .order_by_desc(audit_seals::Column::Sequence);
    Ok(read_checkpoints(db, beginning.limit(1)).await?.pop())
}

/// Up to `limit` checkpoints after this place, in order.
pub async fn list_checkpoints(
    db: &impl ConnectionTrait,
    after: i64,
    limit: u64,
) -> Result<Vec<Checkpoint>> {
    let page = audit_seals::Entity::find()
        .filter(audit_seals::Column::Sequence.gt(after))
        .order_by_asc(audit_seals::Column::Sequence);
    read_checkpoints(db, page.limit(limit)).await
}

/// Deletes up to `limit` entries and as many checkpoints of before the beginning; how many of both went.
pub async fn delete_before(
    db: &impl ConnectionTrait,
    beginning: &Checkpoint,
    limit: i64,
) -> Result<u64> {
    const RULES: [&str; 2] = [
        "DELETE FROM audit_log WHERE sequence IN \
         (SELECT sequence FROM audit_log WHERE sequence <= $1 ORDER BY sequence LIMIT $2)",
        "DELETE FROM audit_seals WHERE sequence IN \
         (SELECT sequence FROM audit_seals WHERE sequence < $1 ORDER BY sequence LIMIT $2)",
    ];
    let mut gone = 0;
    for rule in RULES {
        let values = [beginning.sequence.into(), limit.into()];
        let delete = Statement::from_sql_and_values(db.get_database_backend(), rule, values);
        gone += db.execute_raw(delete).await?.rows_affected();
    }
    Ok(gone)
}

/// Up to `rows` checkpoints beside a place of the chain, nearest first: older ones, or newer ones if backward.
pub async fn list_checkpoints_beside(
    db: &impl ConnectionTrait,
    beside: Option<i64>,
    is_backward: bool,
    rows: u64,
) -> Result<Vec<Checkpoint>> {
    use audit_seals::Column::Sequence;
    let page = audit_seals::Entity::find();
    let page = match beside {
        Some(place) if is_backward => page.filter(Sequence.gt(place)),
        Some(place) => page.filter(Sequence.lt(place)),
        None => page,
    };
    let order = if is_backward { Order::Asc } else { Order::Desc };
    read_checkpoints(db, page.order_by(Sequence, order).limit(rows)).await
}

fn row(checkpoint: &Checkpoint) -> audit_seals::ActiveModel {
    audit_seals::ActiveModel {
        sequence: Set(checkpoint.sequence),
        kind: Set(checkpoint.kind.as_str().to_owned()),
        hash: Set(checkpoint.hash.0.to_vec()),
        count: Set(checkpoint.count),
        at: Set(checkpoint.at),
        key_id: Set(checkpoint.key_id.clone()),
        signature: Set(checkpoint.signature.clone()),
    }
}

async fn read_checkpoints(
    db: &impl ConnectionTrait,
    query: Select<audit_seals::Entity>,
) -> Result<Vec<Checkpoint>> {
    let query = query.build(db.get_database_backend());
    let rows = db.query_all_raw(query).await?;
    Ok(rows.iter().map(checkpoint).collect())
}

/// What cannot be read becomes something that no signature holds for.
fn checkpoint(row: &QueryResult) -> Checkpoint {
    let text = |column: &str| row.try_get::<String>("", column).unwrap_or_default();
    let number = |column: &str| row.try_get::<i64>("", column).unwrap_or_default();
    let bytes = |column: &str| row.try_get::<Vec<u8>>("", column).unwrap_or_default();
    Checkpoint {
        kind: CheckpointKind::parse(&text("kind")).unwrap_or(CheckpointKind::Batch),
        sequence: number("sequence"),
        hash: chain_hash(bytes("hash")),
        count: number("count"),
        at: row.try_get("", "at").unwrap_or_default(),
        key_id: text("key_id"),
        signature: bytes("signature"),
    }
}

/// What has the wrong length is no hash of any entry.
fn chain_hash(bytes: Vec<u8>) -> ChainHash {
    bytes.try_into().map_or(ChainHash::START, ChainHash)
}

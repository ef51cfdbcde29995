//! Reading the audit trail by keyset, newest first. Each filter that is rare enough to search for has an index that
//! ends in (at, id).

use super::{
    audit,
    entity::{audit_log, user_roles},
};
use crate::domain::{
    Result, Timestamp,
    audit::{Outcome, StoredEntry},
    id::{AuditId, UserId},
    permission::Role,
    secret::BlindIndex,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
    sea_query::{Expr, Query, SelectStatement},
};

/// Which entries; all of what is set must hold.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    pub actor: Option<UserId>,
    pub subject: Option<UserId>,
    pub action: Option<String>,
    pub outcome: Option<Outcome>,
    pub ip_index: Option<BlindIndex>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Only those on people who have the role `user` and no other.
    pub on_users_only: bool,
    /// Not those by this person.
    pub not_by: Option<UserId>,
}

/// The entry that a page lies next to, and on which side.
#[derive(Debug, Clone, Copy)]
pub struct Beside {
    pub at: Timestamp,
    pub id: AuditId,
    /// Newer ones, nearest first, in place of older ones.
    pub is_backward: bool,
}

/// Up to `rows` entries, nearest first.
pub async fn list_entries(
    db: &impl ConnectionTrait,
    filter: &EntryFilter,
    beside: Option<Beside>,
    rows: u64,
) -> Result<Vec<StoredEntry>> {
    use audit_log::Column;
    let is_backward = beside.is_some_and(|beside| beside.is_backward);
    let order = if is_backward { Order::Asc } else { Order::Desc };
    let mut page = filtered(filter);
    if let Some(beside) = beside {
        let place = Expr::tuple([Column::At.into_expr(), Column::Id.into_expr()]);
        let near = Expr::tuple([Expr::value(beside.at), Expr::value(beside.id.0)]);
        page = page.filter(if is_backward {
            place.gt(near)
        } else {
            place.lt(near)
        });
    }
    let rows = page
        .order_by(Column::At, order.clone())
        .order_by(Column::Id, order)
        .limit(rows)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(audit::entry).collect())
}

/// How many entries there are.
pub async fn count_entries(db: &impl ConnectionTrait, filter: &EntryFilter) -> Result<u64> {
    Ok(filtered(filter).count(db).await?)
}

fn filtered(filter: &EntryFilter) -> Select<audit_log::Entity> {
    use audit_log::Column;
    let conditions = [
        filter.actor.map(|id| Column::ActorId.eq(id.0)),
        filter.subject.map(|id| Column::SubjectId.eq(id.0)),
        filter
            .action
            .as_deref()
            .map(|action| Column::Action.eq(action)),
        filter
            .outcome
            .map(|outcome| Column::Outcome.eq(outcome.as_str())),
        filter
            .ip_index
            .map(|index| Column::IpIndex.eq(index.0.to_vec())),
        filter.from.map(|from| Column::At.gte(from)),
        filter.to.map(|to| Column::At.lt(to)),
        filter
            .not_by
            .map(|id| Column::ActorId.ne(id.0).or(Column::ActorId.is_null())),
    ];
    let mut entries = audit_log::Entity::find();
    for condition in conditions.into_iter().flatten() {
        entries = entries.filter(condition);
    }
    if filter.on_users_only {
        let role = || Expr::col((user_roles::Entity, user_roles::Column::Role));
        let is_user = Expr::exists(subjects_roles(role().eq(Role::User.as_str())));
        let is_more = Expr::exists(subjects_roles(role().ne(Role::User.as_str())));
        entries = entries.filter(is_user.and(is_more.not()));
    }
    entries
}

/// The roles of an entry's subject of which this holds.
fn subjects_roles(condition: Expr) -> SelectStatement {
    let held_by = Expr::col((user_roles::Entity, user_roles::Column::UserId));
    Query::select()
        .expr(Expr::value(1))
        .from(user_roles::Entity)
        .and_where(held_by.equals((audit_log::Entity, audit_log::Column::SubjectId)))
        .and_where(condition)
        .to_owned()
}

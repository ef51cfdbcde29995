//! What is counted about a person.

use super::{
    Tx,
    entity::users::{Column, Entity},
};
use crate::domain::{Error, Result, id::UserId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, sea_query::Expr,
};

/// The counters in a person's row.
pub struct Counters {
    pub login_count: i64,
    pub profile_views: i64,
}

/// A person's counters.
pub async fn get_counters(db: &impl ConnectionTrait, id: UserId) -> Result<Counters> {
    let row = Entity::find_by_id(id.0)
        .select_only()
        .columns([Column::LoginCount, Column::ProfileViews])
        .into_tuple::<(i64, i64)>()
        .one(db)
        .await?;
    let (login_count, profile_views) = row.ok_or(Error::NotFound("user"))?;
    Ok(Counters {
        login_count,
        profile_views,
    })
}

/// Adds views of a person's profile; the version stays, since nobody changed the account.
pub async fn add_profile_views(tx: &Tx, id: UserId, views: i64) -> Result<()> {
    Entity::update_many()
        .col_expr(
            Column::ProfileViews,
            Expr::col(Column::ProfileViews).add(views),
        )
        .filter(Column::Id.eq(id.0))
        .exec(&tx.unread())
        .await?;
    Ok(())
}

//! People's pictures, sealed, in two sizes. Their validator stands in `users`, so that asking for it reads no picture.

use super::entity::avatars;
use crate::domain::{Result, Timestamp, avatar::AvatarSize, id::UserId, secret::Sealed};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::OnConflict,
};

/// Keeps a person's picture in place of the one before.
pub async fn replace_avatar(
    db: &impl ConnectionTrait,
    owner: UserId,
    (large, small): (Sealed, Sealed),
    now: Timestamp,
) -> Result<()> {
    let row = avatars::ActiveModel {
        user_id: Set(owner.0),
        large_sealed: Set(large.0),
        small_sealed: Set(small.0),
        updated_at: Set(now),
    };
    let replace = OnConflict::column(avatars::Column::UserId)
        .update_columns([
            avatars::Column::LargeSealed,
            avatars::Column::SmallSealed,
            avatars::Column::UpdatedAt,
        ])
        .to_owned();
    avatars::Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// A person's picture in one size.
pub async fn find_avatar(
    db: &impl ConnectionTrait,
    owner: UserId,
    size: AvatarSize,
) -> Result<Option<Sealed>> {
    let column = match size {
        AvatarSize::Large => avatars::Column::LargeSealed,
        AvatarSize::Small => avatars::Column::SmallSealed,
    };
    let found = avatars::Entity::find_by_id(owner.0)
        .select_only()
        .column(column);
    Ok(found.into_tuple().one(db).await?.map(Sealed))
}

/// Forgets a person's picture.
pub async fn delete_avatar(db: &impl ConnectionTrait, owner: UserId) -> Result<()> {
    avatars::Entity::delete_many()
        .filter(avatars::Column::UserId.eq(owner.0))
        .exec(db)
        .await?;
    Ok(())
}

//! People, found by id, blind index or username. Rows hold the address sealed; opening it is the use cases' work.

use super::{Tx, entity::users, roles, search};
use crate::domain::{
    Error, Result, Timestamp,
    error::Clash,
    id::UserId,
    permission::Roles,
    secret::{BlindIndex, Sealed},
    user::{Tier, User, UserStatus},
    username::Username,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    QuerySelect, sea_query::Expr,
};

/// A person as stored.
pub type StoredUser = User<Sealed>;

/// Adds a person; a taken address or username is a conflict.
pub async fn insert_user(tx: &Tx, user: &StoredUser, email_index: BlindIndex) -> Result<()> {
    let row = users::ActiveModel {
        id: Set(user.id.0),
        email_sealed: Set(user.email.0.clone()),
        email_index: Set(email_index.0.to_vec()),
        created_at: Set(user.created_at),
        login_count: Set(0),
        version: Set(user.version),
        event_sequence: Set(0),
        profile_views: Set(0),
        last_login_at: Set(None),
        ..changeable(user)
    };
    users::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    roles::replace_roles(tx, user.id, &user.roles, user.created_at).await?;
    search::write_document(tx, user.id).await
}

/// The columns that a change of the account may touch.
fn changeable<E>(user: &User<E>) -> users::ActiveModel {
    let wished = user.wished_username.as_ref().map(Username::as_str);
    users::ActiveModel {
        username: Set(user.username.as_ref().map(|name| name.as_str().to_owned())),
        username_key: Set(user.username.as_ref().map(Username::key)),
        wished_username: Set(wished.map(str::to_owned)),
        full_name: Set(user.full_name.clone()),
        country: Set(user.country.clone()),
        state_province: Set(user.state_province.clone()),
        current_title: Set(user.current_title.clone()),
        location: Set(user.location.clone()),
        locale: Set(user.locale.clone()),
        timezone: Set(user.timezone.clone()),
        status: Set(user.status.as_str().to_owned()),
        status_before: Set(user.status_before.map(|status| status.as_str().to_owned())),
        verified_at: Set(user.verified_at),
        tier: Set(user.tier.as_str().to_owned()),
        tier_since: Set(user.tier_since),
        tier_until: Set(user.tier_until),
        avatar_tag: Set(user.avatar_tag.clone()),
        updated_at: Set(user.updated_at),
        ..Default::default()
    }
}

/// Writes a changed account; fails with a conflict if its version moved on since it was read. Who is confirmed gets the
/// username that they wished for, or none if somebody has it.
pub async fn update_user<E>(tx: &Tx, user: &mut User<E>, now: Timestamp) -> Result<()> {
    let wished = user.wished_username.take_if(|_| user.verified_at.is_some());
    if wished.is_none() || user.username.is_some() {
        return write_user(tx, user, now).await;
    }
    user.username = wished;
    tx.execute_unprepared("SAVEPOINT wished_username").await?;
    let written = write_user(tx, user, now).await;
    let Err(Error::Conflict(Clash::UsernameTaken)) = written else {
        return written;
    };
    tx.execute_unprepared("ROLLBACK TO SAVEPOINT wished_username")
        .await?;
    user.username = None;
    write_user(tx, user, now).await
}

async fn write_user<E>(tx: &Tx, user: &mut User<E>, now: Timestamp) -> Result<()> {
    user.updated_at = now;
    let row = users::ActiveModel {
        version: Set(user.version + 1),
        ..changeable(user)
    };
    let done = users::Entity::update_many()
        .set(row)
        .filter(users::Column::Id.eq(user.id.0))
        .filter(users::Column::Version.eq(user.version))
        .exec(&tx.changing(user.id))
        .await?;
    if done.rows_affected != 1 {
        return Err(Error::Conflict(Clash::State));
    }
    user.version += 1;
    search::write_document(tx, user.id).await
}

/// Replaces the address; a taken one is a conflict.
pub async fn update_email(
    tx: &Tx,
    id: UserId,
    email: &Sealed,
    index: BlindIndex,
    now: Timestamp,
) -> Result<()> {
    users::Entity::update_many()
        .set(users::ActiveModel {
            email_sealed: Set(email.0.clone()),
            email_index: Set(index.0.to_vec()),
            updated_at: Set(now),
            ..Default::default()
        })
        .col_expr(
            users::Column::Version,
            Expr::col(users::Column::Version).add(1),
        )
        .filter(users::Column::Id.eq(id.0))
        .exec(&tx.changing(id))
        .await?;
    Ok(())
}

/// Deletes a person with everything that refers to them; what names them only by id (audit, events) stays.
pub async fn delete_user(tx: &Tx, id: UserId) -> Result<()> {
    users::Entity::delete_by_id(id.0)
        .exec(&tx.changing(id))
        .await?;
    Ok(())
}

/// Counts a login.
pub async fn record_login(tx: &Tx, id: UserId, now: Timestamp) -> Result<()> {
    users::Entity::update_many()
        .col_expr(users::Column::LastLoginAt, Expr::value(now))
        .col_expr(
            users::Column::LoginCount,
            Expr::col(users::Column::LoginCount).add(1),
        )
        .filter(users::Column::Id.eq(id.0))
        .exec(&tx.changing_in_passing(id))
        .await?;
    Ok(())
}

/// The next number in the order of this person's events; holds the row until the transaction ends.
pub async fn next_event_sequence(tx: &Tx, id: UserId) -> Result<i64> {
    let rows = users::Entity::update_many()
        .col_expr(
            users::Column::EventSequence,
            Expr::col(users::Column::EventSequence).add(1),
        )
        .filter(users::Column::Id.eq(id.0))
        .exec_with_returning(&tx.unread())
        .await?;
    rows.first()
        .map(|row| row.event_sequence)
        .ok_or(Error::NotFound("user"))
}

/// A person by id.
pub async fn find_user(db: &impl ConnectionTrait, id: UserId) -> Result<Option<StoredUser>> {
    assemble(db, users::Entity::find_by_id(id.0).one(db).await?).await
}

/// A person by id; the row is held until the transaction ends.
pub async fn lock_user(db: &impl ConnectionTrait, id: UserId) -> Result<Option<StoredUser>> {
    assemble(
        db,
        users::Entity::find_by_id(id.0)
            .lock_exclusive()
            .one(db)
            .await?,
    )
    .await
}

/// A person by the blind index of the address.
pub async fn find_user_by_email(
    db: &impl ConnectionTrait,
    index: BlindIndex,
) -> Result<Option<StoredUser>> {
    let found = users::Entity::find().filter(users::Column::EmailIndex.eq(index.0.to_vec()));
    assemble(db, found.one(db).await?).await
}

/// Who has an address or a username, and what bars their way; nothing is opened.
pub struct Holder {
    pub id: UserId,
    pub status: UserStatus,
    pub is_verified: bool,
}

/// Who has the address of this blind index.
pub async fn find_holder_of_email(
    db: &impl ConnectionTrait,
    index: BlindIndex,
) -> Result<Option<Holder>> {
    find_holder(db, users::Column::EmailIndex.eq(index.0.to_vec())).await
}

/// Who has the username, upper and lower case alike.
pub async fn find_holder_of_username(
    db: &impl ConnectionTrait,
    username: &Username,
) -> Result<Option<Holder>> {
    find_holder(db, users::Column::UsernameKey.eq(username.key())).await
}

async fn find_holder(db: &impl ConnectionTrait, condition: Expr) -> Result<Option<Holder>> {
    use users::Column as C;
    let query = users::Entity::find().select_only();
    let query = query.columns([C::Id, C::Status, C::VerifiedAt]);
    let found: Option<(uuid::Uuid, String, Option<Timestamp>)> =
        query.filter(condition).into_tuple().one(db).await?;
    let Some((id, status, verified_at)) = found else {
        return Ok(None);
    };
    let unknown = || Error::internal(anyhow::anyhow!("unknown status in users"));
    Ok(Some(Holder {
        id: UserId(id),
        status: UserStatus::parse(&status).ok_or_else(unknown)?,
        is_verified: verified_at.is_some(),
    }))
}

async fn assemble(
    db: &impl ConnectionTrait,
    row: Option<users::Model>,
) -> Result<Option<StoredUser>> {
    let Some(row) = row else { return Ok(None) };
    let roles = roles::list_roles_of(db, UserId(row.id)).await?;
    user(row, roles).map(Some)
}

pub(super) fn user(row: users::Model, roles: Roles) -> Result<StoredUser> {
    let unknown = |what: &str| Error::internal(anyhow::anyhow!("unknown {what} in users"));
    let username = row.username.as_deref().map(Username::parse).transpose();
    let wished = row.wished_username.as_deref().map(Username::parse);
    let wished = wished.transpose();
    Ok(User {
        id: UserId(row.id),
        email: Sealed(row.email_sealed),
        username: username.map_err(|_| unknown("username"))?,
        wished_username: wished.map_err(|_| unknown("wished username"))?,
        full_name: row.full_name,
        country: row.country,
        state_province: row.state_province,
        current_title: row.current_title,
        location: row.location,
        locale: row.locale,
        timezone: row.timezone,
        status: UserStatus::parse(&row.status).ok_or_else(|| unknown("status"))?,
        status_before: row.status_before.as_deref().and_then(UserStatus::parse),
        verified_at: row.verified_at,
        roles,
        tier: Tier::parse(&row.tier).ok_or_else(|| unknown("tier"))?,
        tier_since: row.tier_since,
        tier_until: row.tier_until,
        avatar_tag: row.avatar_tag,
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_login_at: row.last_login_at,
        version: row.version,
    })
}

//! People in pages, by keyset. In every order those without a value come last; they are a part of their own, so that one
//! plain index serves both directions on both databases, whatever each thinks of the place of NULL.

use super::{
    entity::{user_roles, users},
    roles,
    user_matching::matching,
    users::{StoredUser, user},
};
use crate::domain::{
    Error, Result, Timestamp,
    id::UserId,
    page::{Cursor, Page, PageRequest},
    permission::Roles,
    secret::BlindIndex,
    user::{Tier, UserStatus},
    user_list::{SortKey, SortValue, Span, UserFilters, UserOrder},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, Order,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, Query},
};
use users::Column as C;

/// Which people, and in which order.
pub struct Wanted<'a> {
    pub filters: &'a UserFilters,
    /// What `filters.email` is found by.
    pub email: Option<BlindIndex>,
    pub order: UserOrder,
    /// The time at which tiers are in force.
    pub now: Timestamp,
}

/// A page of people.
pub async fn list_users(
    db: &impl ConnectionTrait,
    wanted: &Wanted<'_>,
    request: &PageRequest,
) -> Result<Page<StoredUser>> {
    let mut rows = Vec::new();
    for part in parts(wanted.order, request)? {
        let missing = request.rows().saturating_sub(rows.len() as u64);
        if missing > 0 {
            let query = part.query(wanted, db.get_database_backend()).limit(missing);
            rows.extend(query.all(db).await?);
        }
    }
    let ids: Vec<UserId> = rows.iter().map(|row| UserId(row.id)).collect();
    let mut roles = roles::list_roles_of_all(db, &ids).await?;
    let mut people = Vec::with_capacity(rows.len());
    for row in rows {
        let roles = roles.remove(&UserId(row.id));
        people.push(user(row, roles.unwrap_or_else(|| Roles::new([])))?);
    }
    let name = wanted.order.name();
    let mut page = Page::cut(people, request, &name, |user| {
        (wanted.order.key_of(user), user.id.0)
    });
    if request.with_total {
        let all = users::Entity::find().filter(narrowed(wanted, db.get_database_backend()));
        page.total = Some(all.count(db).await?);
    }
    Ok(page)
}

/// One stretch of an order: those with a value, or those without.
struct Part {
    has_value: bool,
    is_descending: bool,
    by: SortKey,
    /// Where it begins: value (none among those without) and id.
    after: Option<(Option<SortValue>, uuid::Uuid)>,
}

/// The stretches that the page may lie in, in reading order.
fn parts(order: UserOrder, request: &PageRequest) -> Result<Vec<Part>> {
    let is_backward = request.is_backward();
    let part = |has_value, after| Part {
        has_value,
        is_descending: order.is_descending != is_backward,
        by: order.by,
        after,
    };
    let start = match &request.cursor {
        Some(cursor) => Some((value(order, cursor)?, cursor.id)),
        None => None,
    };
    let starts_with_value = match &start {
        Some((value, _)) => value.is_some(),
        None => true,
    };
    let mut parts = vec![part(starts_with_value, start)];
    // Forward the rest is those without a value, backward those with one.
    if order.by.may_be_missing() && starts_with_value != is_backward {
        parts.push(part(!starts_with_value, None));
    }
    Ok(parts)
}

fn value(order: UserOrder, cursor: &Cursor) -> Result<Option<SortValue>> {
    order
        .value_of(cursor)
        .map_err(|fault| Error::Invalid(vec![fault.of("cursor")]))
}

impl Part {
    fn query(&self, wanted: &Wanted<'_>, backend: DbBackend) -> Select<users::Entity> {
        let direction = if self.is_descending {
            Order::Desc
        } else {
            Order::Asc
        };
        let mut condition = narrowed(wanted, backend);
        if self.by.may_be_missing() {
            let column = column(self.by);
            condition = condition.add(if self.has_value {
                column.is_not_null()
            } else {
                column.is_null()
            });
        }
        if let Some(begin) = self.begin(backend) {
            condition = condition.add(begin);
        }
        // Those without a value are sorted by it all the same: only then PostgreSQL reads them in the index's order.
        users::Entity::find()
            .filter(condition)
            .order_by(sorted(self.by, backend), direction.clone())
            .order_by(C::Id, direction)
    }

    fn begin(&self, backend: DbBackend) -> Option<Expr> {
        let (value, id) = self.after.clone()?;
        let (here, there) = match value {
            None => (Expr::col(C::Id), Expr::val(id)),
            Some(value) => {
                let value = match value {
                    SortValue::Time(at) => Expr::val(at),
                    SortValue::Text(text) => Expr::val(text),
                };
                (
                    Expr::tuple([sorted(self.by, backend), Expr::col(C::Id)]),
                    Expr::tuple([value, Expr::val(id)]),
                )
            }
        };
        Some(if self.is_descending {
            here.lt(there)
        } else {
            here.gt(there)
        })
    }
}

fn column(key: SortKey) -> C {
    match key {
        SortKey::CreatedAt => C::CreatedAt,
        SortKey::UpdatedAt => C::UpdatedAt,
        SortKey::LastLoginAt => C::LastLoginAt,
        SortKey::FullName => C::FullName,
        SortKey::Username => C::UsernameKey,
    }
}

/// What is compared: text by code points on PostgreSQL, too, so that the order is the same everywhere.
fn sorted(key: SortKey, backend: DbBackend) -> Expr {
    match (key, backend) {
        (SortKey::FullName, DbBackend::Postgres) => Expr::cust(r#"full_name COLLATE "C""#),
        (SortKey::Username, DbBackend::Postgres) => Expr::cust(r#"username_key COLLATE "C""#),
        _ => Expr::col(column(key)),
    }
}

fn narrowed(wanted: &Wanted<'_>, backend: DbBackend) -> Condition {
    let filters = wanted.filters;
    Condition::all()
        .add_option(filters.q.as_ref().map(|words| matching(words, backend)))
        .add_option(wanted.email.map(|index| C::EmailIndex.eq(index.0.to_vec())))
        .add_option(filters.role.map(|role| has_role(role.as_str())))
        .add_option(
            filters
                .status
                .map(UserStatus::as_str)
                .map(|s| C::Status.eq(s)),
        )
        .add_option(filters.tier.map(|tier| in_force(tier, wanted.now)))
        .add_option(filters.country.as_deref().map(|code| C::Country.eq(code)))
        .add_option(filters.verified.map(|is| {
            if is {
                C::VerifiedAt.is_not_null()
            } else {
                C::VerifiedAt.is_null()
            }
        }))
        .add(within(C::CreatedAt, filters.created))
        .add(within(C::LastLoginAt, filters.last_login))
}

fn within(column: C, span: Span) -> Condition {
    Condition::all()
        .add_option(span.from.map(|from| column.gte(from)))
        .add_option(span.to.map(|to| column.lt(to)))
}

/// As `User::tier_at` has it: a premium that has run out is basic.
fn in_force(tier: Tier, now: Timestamp) -> Condition {
    match tier {
        Tier::Premium => Condition::all()
            .add(C::Tier.eq(Tier::Premium.as_str()))
            .add(C::TierUntil.is_null().or(C::TierUntil.gt(now))),
        Tier::Basic => Condition::any()
            .add(C::Tier.eq(Tier::Basic.as_str()))
            .add(C::TierUntil.lte(now)),
    }
}

fn has_role(role: &str) -> Expr {
    let held = Query::select()
        .column(user_roles::Column::UserId)
        .from(user_roles::Entity)
        .and_where(Expr::col(user_roles::Column::Role).eq(role))
        .to_owned();
    Expr::col((users::Entity, C::Id)).in_subquery(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Store, StoreSettings, Synchronous, schema};
    use sea_orm::{QueryTrait as _, Statement};
    use std::time::Duration;

    /// The steps in which SQLite reads this part.
    async fn plan(store: &Store, part: &Part, filters: &UserFilters) -> String {
        let wanted = Wanted {
            filters,
            email: None,
            order: UserOrder::default(),
            now: Timestamp::UNIX_EPOCH,
        };
        let query = part.query(&wanted, DbBackend::Sqlite).limit(2);
        let mut explain: Statement = query.build(DbBackend::Sqlite);
        explain.sql = format!("EXPLAIN QUERY PLAN {}", explain.sql);
        let steps = store.reader().query_all_raw(explain).await.unwrap();
        let steps = steps
            .iter()
            .map(|step| step.try_get::<String>("", "detail").unwrap());
        steps.collect::<Vec<_>>().join("; ")
    }

    #[tokio::test]
    async fn every_order_is_read_from_an_index_and_never_sorted() {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings {
            url: format!("sqlite://{}/usher.db", folder.path().display()),
            pool_size: 1,
            max_connections: 2,
            acquire_timeout: Duration::from_secs(2),
            synchronous: Synchronous::Normal,
        };
        let store = Store::connect(&settings).await.unwrap();
        schema::up(&store, None).await.unwrap();
        let id = uuid::Uuid::nil();
        for by in SortKey::ALL {
            let value = match by {
                SortKey::FullName | SortKey::Username => SortValue::Text("a".to_owned()),
                _ => SortValue::Time(Timestamp::UNIX_EPOCH),
            };
            let begins = [
                (true, None),
                (true, Some((Some(value), id))),
                (false, None),
                (false, Some((None, id))),
            ];
            for (has_value, after) in begins {
                if !has_value && !by.may_be_missing() {
                    continue;
                }
                for is_descending in [false, true] {
                    let after = after.clone();
                    let part = Part {
                        has_value,
                        is_descending,
                        by,
                        after,
                    };
                    let plan = plan(&store, &part, &UserFilters::default()).await;
                    assert!(plan.contains("USING INDEX"), "{by:?}: {plan}");
                    assert!(!plan.contains("TEMP B-TREE"), "{by:?}: {plan}");
                }
            }
        }
        store.close().await;
    }
}

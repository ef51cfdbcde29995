//! The search documents: written whenever a person or a profile is, and found by trigrams.

mod finding;

use super::{Db, Store};
use crate::domain::{
    Result,
    id::UserId,
    page::{Page, PageRequest},
    search::{Document, SearchQuery},
};
use finding::Sql;
use sea_orm::{DbBackend, DbErr, FromQueryResult, Statement, Value};
use uuid::Uuid;

pub(super) use finding::{full_text, like};

/// The order of results: best first, then by name.
pub const ORDER: &str = "match";

/// How many documents a batch writes.
const BATCH: u64 = 500;

#[derive(FromQueryResult)]
struct Searched {
    id: Uuid,
    full_name: Option<String>,
    username: Option<String>,
    current_title: Option<String>,
    headline: Option<String>,
    location: Option<String>,
    skills: Option<String>,
    country: Option<String>,
    open_to_work: Option<bool>,
    visibility: Option<String>,
    status: String,
}

const FIELDS: &str = "SELECT u.id, u.full_name, u.username, u.current_title, p.headline, u.location, p.skills, \
    u.country, r.open_to_work, p.visibility, u.status FROM users u \
    LEFT JOIN user_profiles p ON p.user_id = u.id LEFT JOIN user_preferences r ON r.user_id = u.id";

const UPSERT: &str = "INSERT INTO search_documents \
    (user_id, document, name, location, country, open_to_work, is_visible) VALUES ($1, $2, $3, $4, $5, $6, $7) \
    ON CONFLICT (user_id) DO UPDATE SET document = excluded.document, name = excluded.name, \
    location = excluded.location, country = excluded.country, open_to_work = excluded.open_to_work, \
    is_visible = excluded.is_visible";

/// Whether the index finds words of every script. What a letter is, PostgreSQL asks the locale of the database; in `C` it
/// is A to Z.
pub async fn knows_all_letters(store: &Store) -> Result<bool> {
    if !store.is_postgres() {
        return Ok(true);
    }
    let sql = "SELECT show_trgm('ж') <> '{}'";
    let known = Statement::from_string(DbBackend::Postgres, sql);
    let known = store.reader().query_one_raw(known).await?;
    let known = known.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(known.unwrap_or(true))
}

/// Writes the document of a person as the tables tell now; in the transaction that changed them.
pub async fn write_document(db: &impl Db, id: UserId) -> Result<()> {
    let sql = format!("{FIELDS} WHERE u.id = $1");
    let person = statement(db, &sql, vec![id.0.into()]);
    if let Some(person) = Searched::find_by_statement(person).one(db).await? {
        write(db, person).await?;
    }
    Ok(())
}

/// Writes the documents of those who have none.
pub async fn write_missing_documents(db: &impl Db) -> Result<(), DbErr> {
    let sql = format!(
        "{FIELDS} WHERE u.id > $1 AND NOT EXISTS (SELECT 1 FROM search_documents d WHERE d.user_id = u.id) \
         ORDER BY u.id LIMIT {BATCH}"
    );
    let mut last = Uuid::nil();
    loop {
        let batch = statement(db, &sql, vec![last.into()]);
        let people = Searched::find_by_statement(batch).all(db).await?;
        let Some(end) = people.last() else {
            return Ok(());
        };
        last = end.id;
        for person in people {
            write(db, person).await?;
        }
    }
}

async fn write(db: &impl Db, person: Searched) -> Result<(), DbErr> {
    let skills: Vec<String> = person
        .skills
        .as_deref()
        .and_then(|skills| serde_json::from_str(skills).ok())
        .unwrap_or_default();
    let texts = [
        person.full_name.as_deref(),
        person.username.as_deref(),
        person.current_title.as_deref(),
        person.headline.as_deref(),
        person.location.as_deref(),
    ];
    let document = Document::of(texts, &skills);
    let is_visible = person.status == "active" && person.visibility.as_deref() != Some("private");
    let values = vec![
        person.id.into(),
        document.text.into(),
        document.name.into(),
        document.location.into(),
        person.country.into(),
        person.open_to_work.unwrap_or(false).into(),
        is_visible.into(),
    ];
    db.execute_raw(statement(db, UPSERT, values)).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Match {
    user_id: Uuid,
    place: String,
}

/// The visible people who fit, best first: those whose name is the words, begins with them, has them, then the rest.
pub async fn list_matches(
    db: &impl Db,
    query: &SearchQuery,
    request: &PageRequest,
) -> Result<Page<UserId>> {
    let mut sql = Sql::new(db.get_database_backend());
    if query.pieces().is_empty() {
        sql.browse(query, request);
    } else {
        sql.rank(query, request);
    }
    let found = Match::find_by_statement(sql.statement()).all(db).await?;
    let page = Page::cut(found, request, ORDER, |found| {
        (Some(found.place.clone()), found.user_id)
    });
    Ok(page.map(|found| UserId(found.user_id)))
}

fn statement(db: &impl Db, sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

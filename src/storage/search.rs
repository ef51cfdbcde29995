//! The search documents: written whenever a person or a profile is, and found by trigrams. A search looks at no more
//! than [`MOST_MATCHES`] people, so that a common word costs no more than a rare one.

use super::Db;
use crate::domain::{
    Result,
    id::UserId,
    page::{Page, PageRequest},
    search::{Document, SearchQuery},
};
use sea_orm::{DbBackend, DbErr, FromQueryResult, Statement, Value};
use uuid::Uuid;

/// The most matches of which the best are shown.
pub const MOST_MATCHES: u64 = 1000;

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

/// A query and its values as they are put together.
struct Sql {
    backend: DbBackend,
    text: String,
    values: Vec<Value>,
}

impl Sql {
    fn new(backend: DbBackend) -> Self {
        Self {
            backend,
            text: String::new(),
            values: Vec::new(),
        }
    }

    fn add(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a value; gives its placeholder.
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn statement(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.text, self.values)
    }

    /// All who fit by name, along an index.
    fn browse(&mut self, query: &SearchQuery, request: &PageRequest) {
        self.add("SELECT d.user_id, d.name AS place FROM search_documents d WHERE d.is_visible");
        self.filter(query);
        self.page(("d.name", "d.user_id"), request);
    }

    /// The best of a bounded number of people who fit.
    fn rank(&mut self, query: &SearchQuery, request: &PageRequest) {
        let pieces = query.pieces();
        self.add("WITH matches AS (SELECT d.user_id, d.name FROM ");
        if self.is_postgres() {
            self.add("search_documents d WHERE d.is_visible");
            for piece in &pieces {
                let pattern = self.bind(like(piece));
                self.add(&format!(" AND d.document LIKE {pattern}"));
            }
        } else {
            // A plain join may be turned round, and then looks at all people of a country.
            self.add(
                "search_index i CROSS JOIN search_documents d ON d.id = i.rowid WHERE d.is_visible",
            );
            self.matching(&pieces);
        }
        self.filter(query);
        let place = self.place(&query.words.joined());
        self.add(&format!(
            " LIMIT {MOST_MATCHES}), placed AS (SELECT user_id, {place} AS place FROM matches) \
             SELECT user_id, place FROM placed WHERE 1 = 1"
        ));
        self.page(("place", "user_id"), request);
    }

    fn filter(&mut self, query: &SearchQuery) {
        if let Some(location) = &query.location {
            let part = self.bind(location.clone());
            let find = self.find();
            self.add(&format!(" AND {find}(d.location, {part}) > 0"));
        }
        if let Some(country) = &query.country {
            let country = self.bind(country.clone());
            self.add(&format!(" AND d.country = {country}"));
        }
        match query.open_to_work {
            Some(true) => self.add(" AND d.open_to_work"),
            Some(false) => self.add(" AND NOT d.open_to_work"),
            None => {}
        }
    }

    /// What the index finds, narrowed by what it cannot look for.
    fn matching(&mut self, pieces: &[String]) {
        let (expression, short) = full_text(pieces);
        let expression = self.bind(expression);
        self.add(&format!(" AND search_index MATCH {expression}"));
        for piece in short {
            let piece = self.bind(piece);
            self.add(&format!(" AND instr(d.document, {piece}) > 0"));
        }
    }

    /// How well a match fits, and its name: what results are sorted by.
    fn place(&mut self, words: &str) -> String {
        if words.is_empty() {
            return "name".to_owned();
        }
        let (find, words) = (self.find(), self.bind(words));
        format!(
            "CASE WHEN name = {words} THEN '0' WHEN {find}(name, {words}) = 1 THEN '1' \
             WHEN {find}(' ' || name, ' ' || {words}) > 0 THEN '2' WHEN {find}(name, {words}) > 0 THEN '3' \
             ELSE '4' END || name"
        )
    }

    /// The rows next to the cursor.
    fn page(&mut self, (place, id): (&str, &str), request: &PageRequest) {
        let (after, direction) = if request.is_backward() {
            ("<", "DESC")
        } else {
            (">", "ASC")
        };
        if let Some(cursor) = &request.cursor {
            let key = self.bind(cursor.key.clone().unwrap_or_default());
            let last = self.bind(cursor.id);
            self.add(&format!(" AND ({place}, {id}) {after} ({key}, {last})"));
        }
        let rows = request.rows();
        self.add(&format!(
            " ORDER BY {place} {direction}, {id} {direction} LIMIT {rows}"
        ));
    }

    fn is_postgres(&self) -> bool {
        self.backend == DbBackend::Postgres
    }

    /// The function that tells where a text lies in another, from 1; 0 for nowhere.
    fn find(&self) -> &'static str {
        if self.is_postgres() {
            "strpos"
        } else {
            "instr"
        }
    }
}

/// What FTS5 is asked for, and the pieces of less than three letters, which it does not find.
pub(super) fn full_text(pieces: &[String]) -> (String, Vec<String>) {
    let (long, short): (Vec<&String>, Vec<&String>) =
        pieces.iter().partition(|piece| piece.chars().count() >= 3);
    let quoted: Vec<String> = long
        .into_iter()
        .map(|piece| format!("\"{}\"", piece.replace('"', "\"\"")))
        .collect();
    (quoted.join(" AND "), short.into_iter().cloned().collect())
}

/// A pattern that finds the text itself anywhere.
pub(super) fn like(text: &str) -> String {
    let literal = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{literal}%")
}

fn statement(db: &impl Db, sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

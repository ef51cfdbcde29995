//! How people are found: those whose name begins with the words along an index, and [`MOST_MATCHES`] of all who fit, of
//! whom the best are shown. So a common word costs no more than a rare one, and hides nobody of that name.

use crate::domain::{
    page::PageRequest,
    search::{Piece, SearchQuery},
};
use sea_orm::{DbBackend, Statement, Value};

/// The most people that a search shows, and the most of whom it looks at.
const MOST_MATCHES: u64 = 1000;

/// A query and its values as they are put together.
pub(super) struct Sql {
    backend: DbBackend,
    text: String,
    values: Vec<Value>,
}

impl Sql {
    pub(super) fn new(backend: DbBackend) -> Self {
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

    pub(super) fn statement(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.text, self.values)
    }

    /// All who fit by name, along an index.
    pub(super) fn browse(&mut self, query: &SearchQuery, request: &PageRequest) {
        self.add("SELECT d.user_id, d.name AS place FROM search_documents d WHERE d.is_visible");
        self.filter(query);
        self.page(("d.name", "d.user_id"), request);
    }

    /// The best of a bounded number of people who fit.
    pub(super) fn rank(&mut self, query: &SearchQuery, request: &PageRequest) {
        let (pieces, words) = (query.pieces(), query.words.joined());
        self.add("WITH ");
        if !words.is_empty() {
            self.beginning(&words, query);
        }
        self.add("found AS (SELECT d.user_id, d.name FROM ");
        if self.is_postgres() {
            self.add("search_documents d WHERE d.is_visible");
            for Piece(texts) in &pieces {
                self.any(
                    texts,
                    |text| format!("d.document LIKE {text}"),
                    |text| like(text),
                );
            }
        } else {
            // A plain join may be turned round, and then looks at all people of a country.
            self.add(
                "search_index i CROSS JOIN search_documents d ON d.id = i.rowid WHERE d.is_visible",
            );
            self.matching(&pieces);
        }
        self.filter(query);
        self.add(&format!(
            " LIMIT {MOST_MATCHES}), matches AS (SELECT user_id, name FROM found"
        ));
        if !words.is_empty() {
            self.add(" UNION SELECT user_id, name FROM beginning");
        }
        let place = self.place(&words);
        self.add(&format!(
            "), placed AS (SELECT user_id, {place} AS place FROM matches ORDER BY place, user_id LIMIT {MOST_MATCHES}) \
             SELECT user_id, place FROM placed WHERE 1 = 1"
        ));
        self.page(("place", "user_id"), request);
    }

    /// The first people whose name begins with the words: those whose name it is, and then by name. What the index does not
    /// tell is looked at afterwards, so that a rare skill does not lead through all who are called so.
    fn beginning(&mut self, words: &str, query: &SearchQuery) {
        let country = query.country.is_some();
        let (from, to) = (self.bind(words), self.bind(format!("{words}{}", char::MAX)));
        let is_told = query.skills.is_empty()
            && query.location.is_none()
            && (query.open_to_work.is_none() || query.open_to_work == Some(true) && !country);
        let columns = if is_told { "d.user_id, d.name" } else { "d.*" };
        self.add(&format!(
            "beginning AS (SELECT d.user_id, d.name FROM (SELECT {columns} FROM search_documents d \
             WHERE d.is_visible AND d.name >= {from} AND d.name < {to}"
        ));
        // Each has an index of its own.
        if country {
            self.filter_country(query);
        } else if query.open_to_work == Some(true) {
            self.filter_open(query);
        }
        self.add(&format!(
            " ORDER BY d.name, d.user_id LIMIT {MOST_MATCHES}) AS d WHERE 1 = 1"
        ));
        if !is_told {
            self.filter_location(query);
            self.filter_open(query);
            let find = self.find();
            for Piece(texts) in query.pieces() {
                self.any(
                    &texts,
                    |text| format!("{find}(d.document, {text}) > 0"),
                    Clone::clone,
                );
            }
        }
        self.add("), ");
    }

    fn filter(&mut self, query: &SearchQuery) {
        self.filter_location(query);
        self.filter_country(query);
        self.filter_open(query);
    }

    fn filter_location(&mut self, query: &SearchQuery) {
        if let Some(location) = &query.location {
            let part = self.bind(location.clone());
            let find = self.find();
            self.add(&format!(" AND {find}(d.location, {part}) > 0"));
        }
    }

    fn filter_country(&mut self, query: &SearchQuery) {
        if let Some(country) = &query.country {
            let country = self.bind(country.clone());
            self.add(&format!(" AND d.country = {country}"));
        }
    }

    fn filter_open(&mut self, query: &SearchQuery) {
        match query.open_to_work {
            Some(true) => self.add(" AND d.open_to_work"),
            Some(false) => self.add(" AND NOT d.open_to_work"),
            None => {}
        }
    }

    /// What the index finds, narrowed by what it cannot look for.
    fn matching(&mut self, pieces: &[Piece]) {
        let (expression, short) = full_text(pieces);
        let expression = self.bind(expression);
        self.add(&format!(" AND search_index MATCH {expression}"));
        for Piece(texts) in short {
            self.any(
                texts,
                |text| format!("instr(d.document, {text}) > 0"),
                Clone::clone,
            );
        }
    }

    /// Adds that one of these texts must be there.
    fn any(
        &mut self,
        texts: &[String],
        condition: impl Fn(String) -> String,
        value: impl Fn(&String) -> String,
    ) {
        let bound = texts.iter().map(|text| condition(self.bind(value(text))));
        let conditions = bound.collect::<Vec<_>>().join(" OR ");
        self.add(&format!(" AND ({conditions})"));
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

/// What FTS5 is asked for, and the pieces of less than three characters, which it does not find.
pub fn full_text(pieces: &[Piece]) -> (String, Vec<&Piece>) {
    let is_long = |text: &String| text.chars().count() >= 3;
    let (long, short): (Vec<&Piece>, Vec<&Piece>) = pieces
        .iter()
        .partition(|Piece(texts)| texts.iter().all(is_long));
    let quote = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
    let any = |Piece(texts): &Piece| texts.iter().map(quote).collect::<Vec<_>>().join(" OR ");
    let all: Vec<String> = long
        .into_iter()
        .map(|piece| format!("({})", any(piece)))
        .collect();
    (all.join(" AND "), short)
}

/// A pattern that finds the text itself anywhere.
pub fn like(text: &str) -> String {
    let literal = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{literal}%")
}

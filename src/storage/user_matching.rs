//! Which people a search text matches, whoever they are: by the same documents and indexes that members search.

use super::search::like;
use crate::domain::search::{Piece, Words};
use sea_orm::{
    Condition, DbBackend, ExprTrait, Value,
    sea_query::{Expr, Query},
};

/// All words in name, username, title, headline, location or skills.
pub fn matching(words: &Words, backend: DbBackend) -> Condition {
    let pieces: Vec<Piece> = words.pieces().collect();
    let mut found = Query::select()
        .column("user_id")
        .from("search_documents")
        .to_owned();
    if backend == DbBackend::Postgres {
        for Piece(texts) in &pieces {
            let patterns = texts
                .iter()
                .map(|text| Expr::col("document").like(like(text)));
            found.cond_where(patterns.fold(Condition::any(), Condition::add));
        }
    } else {
        let (expression, short) = super::search::full_text(&pieces);
        let matches = "id IN (SELECT rowid FROM search_index WHERE search_index MATCH ?)";
        found.and_where(Expr::cust_with_values(matches, [Value::from(expression)]));
        for Piece(texts) in short {
            let found_in = |text: &String| {
                Expr::cust_with_values("instr(document, ?) > 0", [Value::from(text.clone())])
            };
            let places = texts.iter().map(found_in);
            found.cond_where(places.fold(Condition::any(), Condition::add));
        }
    }
    Condition::all().add(Expr::col(("users", "id")).in_subquery(found))
}

//! Finding people by what they tell of themselves. Texts are compared folded: lower case, without accents, one space
//! between words. A word of three letters or more is found anywhere, a shorter one (`go`, `c++`) at the beginning of words.

use super::error::Fault;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Stands between the fields of a document, so that nothing is found across two of them.
const BETWEEN: &str = " \u{1f} ";

/// The most words of one search.
const MAX_WORDS: usize = 8;

/// So many code points of a name count when people are sorted: an index and a cursor must hold them.
const MAX_NAME: usize = 100;

/// As texts are compared.
pub fn fold(text: &str) -> String {
    let bare: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c) && !c.is_control())
        .flat_map(char::to_lowercase)
        .collect();
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Skills as they stand in a document: each between bars, so that it can be found whole.
fn fold_skill(skill: &str) -> String {
    format!("|{}|", fold(skill).replace('|', " "))
}

/// What is searched of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Name, username, title, headline, location and skills, folded.
    pub text: String,
    /// What people are sorted by: the folded name, or the username; no more of it than a name has before it is folded, for
    /// one sign can become eighteen.
    pub name: String,
    /// The folded location.
    pub location: String,
}

impl Document {
    /// Of these fields; `texts` are full name, username, title, headline and location.
    pub fn of(texts: [Option<&str>; 5], skills: &[String]) -> Self {
        let folded = texts.map(|text| text.map(fold).unwrap_or_default());
        let [full_name, username, _, _, location] = &folded;
        let name = if full_name.is_empty() {
            username
        } else {
            full_name
        };
        let skills = skills.iter().map(|skill| fold_skill(skill));
        let fields = folded
            .iter()
            .cloned()
            .chain(skills)
            .filter(|field| !field.is_empty());
        Self {
            text: format!(" {} ", fields.collect::<Vec<_>>().join(BETWEEN)),
            name: name.chars().take(MAX_NAME).collect(),
            location: location.clone(),
        }
    }
}

/// Whom one looks for; everything that is there must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    pub words: Words,
    pub skills: Vec<String>,
    /// A part of the location, folded.
    pub location: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    pub open_to_work: Option<bool>,
}

impl SearchQuery {
    /// What a document must hold, longest first.
    pub fn pieces(&self) -> Vec<Piece> {
        let skills = self.skills.iter().map(|skill| fold_skill(skill));
        let whole = skills.chain(self.location.clone());
        let mut pieces: Vec<Piece> = self
            .words
            .pieces()
            .chain(whole.map(|text| Piece(vec![text])))
            .collect();
        pieces.sort_by_key(|piece| std::cmp::Reverse(piece.0.iter().map(String::len).max()));
        pieces
    }
}

/// Texts of which a document must hold one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece(pub Vec<String>);

impl Piece {
    fn of_word(word: &str) -> Self {
        if is_indexed_anywhere(word) {
            return Self(vec![word.to_owned()]);
        }
        // Where a word begins, or a skill.
        Self(vec![format!(" {word}"), format!("|{word}")])
    }
}

/// Whether the index finds this text in the middle of others. It knows each three characters (FTS5), and each three of a
/// word's letters and digits with two blanks before it and one behind it (`pg_trgm`).
fn is_indexed_anywhere(text: &str) -> bool {
    let runs: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let is_indexed = |(place, run): (usize, &&str)| {
        let before = if place == 0 { 0 } else { 2 };
        let behind = usize::from(place + 1 < runs.len());
        !run.is_empty() && before + run.chars().count() + behind >= 3
    };
    text.chars().count() >= 3 && runs.iter().enumerate().any(is_indexed)
}

/// The words that somebody typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// 2 to 100 letters in at most eight words.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.chars().count() > 100 {
            return Err(Fault::new("too_long", "Search for at most 100 characters."));
        }
        let folded = fold(text);
        let words: Vec<String> = folded.split(' ').map(str::to_owned).collect();
        if words.len() > MAX_WORDS {
            return Err(Fault::new("too_long", "Search for at most eight words."));
        }
        let can_be_found =
            |word: &String| word.chars().count() >= 2 && word.contains(char::is_alphanumeric);
        if !words.iter().any(can_be_found) {
            return Err(Fault::new(
                "too_short",
                "Search for at least two characters, a letter or a digit among them.",
            ));
        }
        Ok(Self(words))
    }

    /// What a document must hold.
    pub fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        self.0.iter().map(|word| Piece::of_word(word))
    }

    /// All words as they would stand in a name; empty for none.
    pub fn joined(&self) -> String {
        self.0.join(" ")
    }
}

/// Up to ten skills, between commas.
pub fn skills(text: &str) -> Result<Vec<String>, Fault> {
    let skills: Vec<String> = text
        .split(',')
        .map(|skill| skill.trim().to_owned())
        .collect();
    if skills.len() > 10
        || skills
            .iter()
            .any(|skill| !fold(skill).contains(char::is_alphanumeric) || skill.chars().count() > 50)
    {
        return Err(Fault::new(
            "format",
            "Name one to ten skills of up to 50 characters, a letter or a digit among them, separated by commas.",
        ));
    }
    Ok(skills)
}

/// A part of a location.
pub fn location(text: &str) -> Result<String, Fault> {
    if text.chars().count() > 100 {
        return Err(Fault::new(
            "too_long",
            "A location has at most 100 characters.",
        ));
    }
    let folded = fold(text);
    if !is_indexed_anywhere(&folded) {
        return Err(Fault::new(
            "too_short",
            "Name at least three letters or digits of the location.",
        ));
    }
    Ok(folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_compared_without_case_and_accents() {
        assert_eq!(fold("  José\u{a0}ÅNGSTRÖM "), "jose angstrom");
        assert_eq!(fold("ﬁn"), "fin");
        assert_eq!(fold("李小龍"), "李小龍");
    }

    #[test]
    fn a_document_keeps_its_fields_apart() {
        let skills = ["C++".to_owned(), "a|b".to_owned()];
        let document = Document::of(
            [
                Some("Ada Lovelace"),
                None,
                Some("Analyst"),
                None,
                Some("London"),
            ],
            &skills,
        );
        assert_eq!(
            document.text,
            " ada lovelace \u{1f} analyst \u{1f} london \u{1f} |c++| \u{1f} |a b| "
        );
        assert_eq!(
            (document.name.as_str(), document.location.as_str()),
            ("ada lovelace", "london")
        );
        assert_eq!(
            Document::of([None, Some("Bob"), None, None, None], &[]).name,
            "bob"
        );
    }

    #[test]
    fn short_words_are_found_at_the_beginning_of_words_only() {
        let words = Words::parse("Li x Rust c++ o'neil *a* f_r %%%").unwrap();
        let pieces: Vec<_> = words.pieces().map(|piece| piece.0.join("/")).collect();
        let expected = [
            " li/|li",
            " x/|x",
            "rust",
            " c++/|c++",
            "o'neil",
            "*a*",
            "f_r",
            " %%%/|%%%",
        ];
        assert_eq!(pieces, expected);
        for (text, code) in [
            ("%%%%", "too_short"),
            ("_ * \\\\", "too_short"),
            ("a ++", "too_short"),
            ("a", "too_short"),
            (" \u{301} ", "too_short"),
            ("a b", "too_short"),
            ("aa b c d e f g h i", "too_long"),
        ] {
            assert_eq!(Words::parse(text).unwrap_err().code, code, "{text}");
        }
        assert_eq!(Words::parse(&"a".repeat(101)).unwrap_err().code, "too_long");
    }

    #[test]
    fn skills_are_named_between_commas() {
        assert_eq!(skills("Rust, C").unwrap(), ["Rust", "C"]);
        for text in ["", "a,,b", "a,++", &"x".repeat(51), &"a,".repeat(11)] {
            assert!(skills(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_location_is_looked_for_by_its_letters() {
        assert_eq!(location(" Den  HAAG").unwrap(), "den haag");
        for text in ["ab", "%%%%", "*:*", "a%", "c++"] {
            assert_eq!(location(text).unwrap_err().code, "too_short", "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_in_a_field_is_found(name in "\\PC{3,20}", from in 0_usize..5) {
            let document = Document::of([Some(&name), None, None, None, None], &[]);
            let folded = fold(&name);
            let part: String = folded.chars().skip(from).collect();
            if let Ok(words) = Words::parse(&part) {
                for Piece(texts) in words.pieces().filter(|Piece(texts)| texts.len() == 1) {
                    prop_assert!(document.text.contains(&texts[0]), "{:?} in {:?}", texts, document);
                }
            }
        }
    }
}

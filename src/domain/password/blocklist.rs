//! The common passwords, compiled in and searched where they lie: no start-up cost, no memory of its own. The search
//! needs the file sorted by bytes; where it comes from stands in `data/README.md`.

use std::cmp::Ordering;
use zeroize::Zeroizing;

const COMMON: &str = include_str!("../data/common_passwords.txt");

/// Whether the whole password, in any case, is a common one.
pub(super) fn contains(password: &str) -> bool {
    let lower = Zeroizing::new(password.to_lowercase());
    is_a_line_of(COMMON, &super::composed(&lower))
}

fn is_a_line_of(sorted: &str, word: &str) -> bool {
    let mut rest = sorted;
    while !rest.is_empty() {
        let middle = rest.floor_char_boundary(rest.len() / 2);
        let (head, _) = rest.split_at(middle);
        let start = head.rfind('\n').map_or(0, |at| at + 1);
        let (left, from_line) = rest.split_at(start);
        let (line, right) = from_line.split_once('\n').unwrap_or((from_line, ""));
        match word.cmp(line) {
            Ordering::Less => rest = left,
            Ordering::Greater => rest = right,
            Ordering::Equal => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_list_is_long_sorted_unique_and_of_useful_length() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() >= 100_000);
        assert!(lines.is_sorted_by(|a, b| a < b));
        assert!(lines.iter().all(|line| line.chars().count() >= 8));
        assert!(lines.iter().all(|line| **line == line.to_lowercase()));
    }

    #[test]
    fn every_entry_is_found_in_any_case() {
        for line in COMMON.lines() {
            assert!(contains(line), "{line}");
        }
        for listed in [
            "Password123",
            "Qwerty12345678",
            "PASSWORD",
            "iloveyou",
            "zzzzzzzz",
        ] {
            assert!(contains(listed), "{listed}");
        }
    }

    #[test]
    fn only_whole_passwords_count() {
        for free in [
            "SecurePass123",
            "password123 and more",
            " password123",
            "password12\n",
            "",
            "\n",
        ] {
            assert!(!contains(free), "{free:?}");
        }
    }

    proptest! {
        #[test]
        fn the_search_agrees_with_a_set(
            words in prop::collection::btree_set("[a-cé]{1,4}", 0..20),
            asked in "[a-cé\n]{0,4}"
        ) {
            let words: BTreeSet<String> = words;
            let text: String = words.iter().flat_map(|word| [word, "\n"]).collect();
            prop_assert_eq!(is_a_line_of(&text, &asked), words.contains(&asked));
        }

        #[test]
        fn any_password_is_answered(text in any::<String>()) {
            let _ = contains(&text);
        }
    }
}

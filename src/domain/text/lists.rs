//! Lists of what people type: bounded, and nothing twice. Of equals the first stays, as it was written.

use super::super::error::Fault;
use std::collections::HashSet;

const TOO_MANY: Fault = Fault::new("too_long", "This list has too many items.");

/// Up to `most` items as `parse` reads them; what comes again, in upper or lower case, is left out.
pub fn distinct<T>(
    most: usize,
    items: &[T],
    parse: impl Fn(&T) -> Result<String, Fault>,
) -> Result<Vec<String>, Fault> {
    if items.len() > most {
        return Err(TOO_MANY);
    }
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for item in items {
        let item = parse(item)?;
        if seen.insert(item.to_lowercase()) {
            all.push(item);
        }
    }
    Ok(all)
}

/// Up to `most` lines of at most `length` code points, each once.
pub fn lines(most: usize, length: usize, items: &[String]) -> Result<Vec<String>, Fault> {
    distinct(most, items, |item| super::line(length, item))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owned(items: &[&str]) -> Vec<String> {
        items.iter().map(|&item| item.to_owned()).collect()
    }

    #[test]
    fn what_comes_again_is_left_out_and_the_order_stays() {
        let items = owned(&["Rust", " SQL ", "rust", "sql", "C"]);
        assert_eq!(lines(5, 10, &items).unwrap(), ["Rust", "SQL", "C"]);
    }

    #[test]
    fn too_many_items_and_a_bad_one_are_refused() {
        let two = owned(&["a", "b"]);
        assert_eq!(lines(1, 10, &two).unwrap_err().code, "too_long");
        for (item, code) in [
            ("", "too_short"),
            ("abc", "too_long"),
            ("\n\u{7}", "format"),
        ] {
            let items = owned(&["a", item]);
            assert_eq!(lines(9, 2, &items).unwrap_err().code, code, "{item:?}");
        }
    }

    proptest! {
        #[test]
        fn a_list_that_is_read_reads_as_itself(items in proptest::collection::vec("\\PC{0,6}", 0..6)) {
            if let Ok(read) = lines(6, 6, &items) {
                prop_assert!(read.len() <= items.len());
                prop_assert_eq!(lines(6, 6, &read), Ok(read));
            }
        }
    }
}

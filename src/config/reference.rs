//! The settings in writing, made from the table: the reference in the documentation and `.env.example`.

use super::setting::{Fallback, Secrecy, Setting, TABLE};

const EXAMPLE_HEAD: &str = "\
# Every setting of Usher. Copy this file to `.env` and uncomment what you change; production ignores `.env` and takes
# the environment, `usher.toml` (same names in lower case) or `usher serve --set NAME=value`.
# A value with a space, `$`, `#` or a quote in it belongs in single quotes. An empty value means the default.
# A secret may also be read from a file: NAME_FILE=/path instead of NAME.
";

/// The reference as Markdown: a heading and a table for each section.
pub fn markdown_table() -> String {
    let mut lines = Vec::new();
    for (section, settings) in &TABLE {
        lines.push(format!("### {section}\n"));
        lines.push("| Setting | Default | Meaning |\n|---|---|---|".to_owned());
        lines.extend(settings.iter().map(markdown_row));
        lines.push(String::new());
    }
    lines.join("\n")
}

/// The text of `.env.example`.
pub fn env_example() -> String {
    let mut lines = vec![EXAMPLE_HEAD.to_owned()];
    for (section, settings) in &TABLE {
        lines.push(format!("# ---- {section} ----\n"));
        lines.extend(settings.iter().map(example_entry));
    }
    lines.join("\n")
}

fn markdown_row(setting: &Setting) -> String {
    let default = match setting.fallback {
        Fallback::Fixed(value) => format!("`{value}`"),
        Fallback::Derived(words) => words.to_owned(),
        Fallback::Unset => "-".to_owned(),
    };
    let name = setting.name;
    let file = match setting.secrecy {
        Secrecy::Open => String::new(),
        Secrecy::Url | Secrecy::Secret => format!(" Or `{name}_FILE`."),
    };
    format!("| `{name}` | {default} | {}{file} |", setting.doc)
}

fn example_entry(setting: &Setting) -> String {
    let (note, value) = match setting.fallback {
        Fallback::Fixed(value) => (String::new(), value),
        Fallback::Derived(words) => (format!("# Default: {words}\n"), ""),
        Fallback::Unset => (String::new(), ""),
    };
    format!("# {}\n{note}#{}={value}\n", setting.doc, setting.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources, setting};

    #[test]
    fn the_example_file_is_what_the_table_says() {
        assert_eq!(include_str!("../../.env.example"), env_example());
    }

    #[test]
    fn both_name_every_setting_once() {
        let (markdown, example) = (markdown_table(), env_example());
        for setting in setting::all() {
            let row = format!("| `{}` |", setting.name);
            assert_eq!(markdown.matches(&row).count(), 1, "{row}");
            let entry = format!("\n#{}=", setting.name);
            assert_eq!(example.matches(&entry).count(), 1, "{entry}");
        }
    }

    #[test]
    fn every_entry_of_the_example_can_be_uncommented() {
        let text = env_example();
        let pairs: Vec<(&str, &str)> = text
            .lines()
            .filter(|line| !line.starts_with("# "))
            .filter_map(|line| line.strip_prefix('#')?.split_once('='))
            .collect();
        assert_eq!(pairs.len(), setting::all().count());
        assert!(Config::load(&Sources::for_tests(&pairs)).is_ok());
    }

    #[test]
    fn every_doc_is_one_sentence_that_fits_in_a_table() {
        for setting in setting::all() {
            assert!(setting.doc.ends_with('.'), "{}", setting.name);
            assert!(!setting.doc.contains(['|', '\n']), "{}", setting.name);
        }
    }
}

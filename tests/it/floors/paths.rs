//! Finds the paths that a file names, with nested groups taken apart and `self` and `super` resolved. Rough, not a
//! compiler: names brought in by a glob or under another name are not followed.

use super::source::Source;

/// A path as its segments; one inside the package begins with `crate`.
pub(super) struct Named {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
}

/// Every path of at least two segments, and every `use NAME;`, outside tests.
pub(super) fn named_in(source: &Source) -> Vec<Named> {
    let mut reader = Reader {
        tokens: tokens_of(&source.production),
        at: 0,
        modules: source.module(),
        inner: vec![],
        found: vec![],
    };
    reader.read();
    reader.found
}

struct Token {
    line: usize,
    text: String,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

fn tokens_of(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            let length = if word > 0 {
                word
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (token, tail) = rest.split_at(length);
            tokens.push(Token {
                line: index + 1,
                text: token.to_owned(),
            });
            rest = tail.trim_start();
        }
    }
    tokens
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    modules: Vec<String>,
    /// For each open brace, whether it opened an inline module.
    inner: Vec<bool>,
    found: Vec<Named>,
}

impl Reader {
    fn text(&self, ahead: usize) -> &str {
        self.tokens
            .get(self.at + ahead)
            .map_or("", |token| token.text.as_str())
    }

    fn read(&mut self) {
        while let Some(token) = self.tokens.get(self.at) {
            match token.text.as_str() {
                "mod" if self.text(2) == "{" => {
                    self.modules.push(self.text(1).to_owned());
                    self.inner.push(true);
                    self.at += 3;
                }
                "{" => {
                    self.inner.push(false);
                    self.at += 1;
                }
                "}" => {
                    if self.inner.pop() == Some(true) {
                        self.modules.pop();
                    }
                    self.at += 1;
                }
                "use" => {
                    self.at += 1;
                    self.tree(&[], true);
                }
                _ if token.is_word() => self.tree(&[], false),
                _ => self.at += 1,
            }
        }
    }

    /// Reads one path, and the paths of the groups in it, from here on.
    fn tree(&mut self, prefix: &[String], in_use: bool) {
        let mut segments = prefix.to_vec();
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        if self.text(0) == "::" {
            self.at += 1;
        }
        loop {
            if self.text(0) == "{" {
                return self.group(&segments);
            }
            if !self
                .tokens
                .get(self.at)
                .is_some_and(|token| token.is_word() || token.text == "*")
            {
                break;
            }
            segments.push(self.text(0).to_owned());
            self.at += 1;
            let goes_on = self
                .tokens
                .get(self.at + 1)
                .is_some_and(|next| next.is_word() || next.text == "{" || next.text == "*");
            if self.text(0) != "::" || !goes_on {
                break;
            }
            self.at += 1;
        }
        if segments.len() > 1 || in_use {
            let segments = self.resolved(&segments);
            self.found.push(Named { line, segments });
        }
    }

    fn group(&mut self, prefix: &[String]) {
        self.at += 1;
        while self.at < self.tokens.len() && self.text(0) != "}" {
            let before = self.at;
            self.tree(prefix, true);
            while !matches!(self.text(0), "," | "}" | "") {
                self.at += 1;
            }
            if self.text(0) == "," || self.at == before {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    fn resolved(&self, segments: &[String]) -> Vec<String> {
        let up = segments
            .iter()
            .take_while(|segment| matches!(segment.as_str(), "self" | "super"))
            .count();
        if up == 0 {
            return segments.to_vec();
        }
        let (lead, rest) = segments.split_at(up);
        let supers = lead
            .iter()
            .filter(|segment| segment.as_str() == "super")
            .count();
        let home = self
            .modules
            .iter()
            .take(self.modules.len().saturating_sub(supers));
        std::iter::once("crate".to_owned())
            .chain(home.cloned())
            .chain(rest.iter().cloned())
            .collect()
    }
}

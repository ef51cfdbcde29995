//! Collects the broken rules of all fields of a request, so that the client hears of all at once.
//!
//! `let email = check.text("email", body.email, EmailAddress::parse);` for each field, then
//! `let (email, password) = check.done((email, password))?;`

use super::Field;
use crate::domain::{
    change::Change,
    error::{Error, Fault, Result, Violation},
};

/// The broken rules so far.
#[derive(Debug, Default)]
pub struct Check(Vec<Violation>);

/// A checked field; [`Check::done`] opens it.
#[derive(Debug)]
pub struct Checked<T>(Option<T>);

impl<T> Checked<T> {
    /// What was parsed, for rules between fields; `None` if the field is broken.
    pub fn value(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// Several fields as one; broken if one of them is.
    pub fn all<F: Fields<Values = T>>(fields: F) -> Self {
        Self(fields.open())
    }

    /// The same field in another form.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Checked<U> {
        Checked(self.0.map(change))
    }
}

impl Check {
    /// Nothing is broken yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A field that must be there and not null.
    pub fn required<T, U>(
        &mut self,
        field: &'static str,
        value: Field<T>,
        parse: impl FnOnce(T) -> Result<U, Fault>,
    ) -> Checked<U> {
        match value {
            Field::Value(value) => Checked(self.keep(field, parse(value))),
            Field::Wrong => self.wrong(field),
            Field::Absent | Field::Null => self.broken(Violation::required(field)),
        }
    }

    /// A field that may be left out or null.
    pub fn optional<T, U>(
        &mut self,
        field: &'static str,
        value: Field<T>,
        parse: impl FnOnce(T) -> Result<U, Fault>,
    ) -> Checked<Option<U>> {
        match value {
            Field::Value(value) => Checked(self.keep(field, parse(value)).map(Some)),
            Field::Wrong => self.wrong(field),
            Field::Absent | Field::Null => Checked(Some(None)),
        }
    }

    /// A field of a change: left out it stays, `null` empties it.
    pub fn change<T, U>(
        &mut self,
        field: &'static str,
        value: Field<T>,
        parse: impl FnOnce(T) -> Result<U, Fault>,
    ) -> Checked<Change<U>> {
        match value {
            Field::Value(value) => Checked(self.keep(field, parse(value)).map(Change::Set)),
            Field::Wrong => self.wrong(field),
            Field::Null => Checked(Some(Change::Clear)),
            Field::Absent => Checked(Some(Change::Keep)),
        }
    }

    /// [`Check::change`] for text, so that `parse` functions of the domain fit as they are.
    pub fn text_change<U>(
        &mut self,
        field: &'static str,
        value: Field<String>,
        parse: impl FnOnce(&str) -> Result<U, Fault>,
    ) -> Checked<Change<U>> {
        self.change(field, value, |text| parse(&text))
    }

    /// [`Check::change`] for a list whose items have fields with rules of their own.
    pub fn list_change<T, U>(
        &mut self,
        field: &'static str,
        value: Field<Vec<T>>,
        parse: impl FnOnce(Vec<T>) -> Result<U, Vec<Violation>>,
    ) -> Checked<Change<U>> {
        let Field::Value(items) = value else {
            return self.change(field, value, |_| Err(Fault::new("format", "")));
        };
        Checked(parse(items).map_err(|all| self.report(all)).ok()).map(Change::Set)
    }

    /// [`Check::required`] for text, so that `parse` functions of the domain fit as they are.
    pub fn text<U>(
        &mut self,
        field: &'static str,
        value: Field<String>,
        parse: impl FnOnce(&str) -> Result<U, Fault>,
    ) -> Checked<U> {
        self.required(field, value, |text| parse(&text))
    }

    /// [`Check::optional`] for text, so that `parse` functions of the domain fit as they are.
    pub fn optional_text<U>(
        &mut self,
        field: &'static str,
        value: Field<String>,
        parse: impl FnOnce(&str) -> Result<U, Fault>,
    ) -> Checked<Option<U>> {
        self.optional(field, value, |text| parse(&text))
    }

    /// Adds rules that are broken between fields, or found elsewhere.
    pub fn report(&mut self, violations: impl IntoIterator<Item = Violation>) {
        self.0.extend(violations);
    }

    /// The values of all fields, or all broken rules.
    pub fn done<F: Fields>(self, fields: F) -> Result<F::Values> {
        if !self.0.is_empty() {
            return Err(Error::Invalid(self.0));
        }
        fields.open().ok_or_else(|| {
            Error::internal(anyhow::anyhow!("a field was checked by another collector"))
        })
    }

    fn keep<U>(&mut self, field: &'static str, parsed: Result<U, Fault>) -> Option<U> {
        parsed.map_err(|fault| self.0.push(fault.of(field))).ok()
    }

    fn wrong<U>(&mut self, field: &'static str) -> Checked<U> {
        self.broken(Violation::format(field, "This field has the wrong type."))
    }

    fn broken<U>(&mut self, violation: Violation) -> Checked<U> {
        self.0.push(violation);
        Checked(None)
    }
}

/// One checked field, or a tuple of up to twelve.
pub trait Fields {
    /// What is in them.
    type Values;
    /// The values; `None` if one is broken.
    fn open(self) -> Option<Self::Values>;
}

impl<T> Fields for Checked<T> {
    type Values = T;

    fn open(self) -> Option<T> {
        self.0
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)+) => {$(
        impl<$($name),+> Fields for ($(Checked<$name>,)+) {
            type Values = ($($name,)+);

            #[expect(non_snake_case, reason = "the type parameters name the fields, too")]
            fn open(self) -> Option<Self::Values> {
                let ($($name,)+) = self;
                Some(($($name.0?,)+))
            }
        }
    )+};
}

tuples! {
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(text: &str) -> Result<String, Fault> {
        if text.len() > 3 {
            return Err(Fault::new("too_long", "At most 3 characters."));
        }
        Ok(text.to_owned())
    }

    fn codes(error: Error) -> Vec<(&'static str, &'static str)> {
        match error {
            Error::Invalid(all) => all.iter().map(|v| (v.field, v.code)).collect(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn all_broken_fields_are_reported_at_once() {
        let mut check = Check::new();
        let missing = check.text("a", Field::Absent, short);
        let null = check.text("b", Field::Null, short);
        let wrong = check.optional_text("c", Field::Wrong, short);
        let long = check.optional_text("d", Field::Value("long".to_owned()), short);
        let good = check.text("e", Field::Value("ok".to_owned()), short);
        let error = check.done((missing, null, wrong, long, good)).unwrap_err();
        assert_eq!(
            codes(error),
            [
                ("a", "required"),
                ("b", "required"),
                ("c", "format"),
                ("d", "too_long")
            ]
        );
    }

    #[test]
    fn an_optional_field_may_be_absent_or_null() {
        let mut check = Check::new();
        let absent = check.optional_text("a", Field::Absent, short);
        let null = check.optional_text("b", Field::Null, short);
        let there = check.optional("c", Field::Value(7), |n: i32| Ok(n + 1));
        assert_eq!(
            check.done((absent, null, there)).unwrap(),
            (None, None, Some(8))
        );
    }

    #[test]
    fn a_reported_rule_refuses_even_good_fields() {
        let mut check = Check::new();
        let good = check.text("a", Field::Value("ok".to_owned()), short);
        check.report([Violation::new("b", "mismatch", "The two differ.")]);
        assert_eq!(codes(check.done(good).unwrap_err()), [("b", "mismatch")]);
    }
}

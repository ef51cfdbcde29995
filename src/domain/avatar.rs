//! Pictures of people: square, in two sizes.

use super::error::Fault;

/// A size in which a picture is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AvatarSize {
    #[default]
    Large,
    Small,
}

impl AvatarSize {
    /// Width and height.
    pub const fn pixels(self) -> u32 {
        match self {
            Self::Large => 512,
            Self::Small => 64,
        }
    }

    /// Reads the number of pixels.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "512" => Ok(Self::Large),
            "64" => Ok(Self::Small),
            _ => Err(Fault::new("unknown_value", "The sizes are 512 and 64.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_size_is_known_by_its_pixels() {
        for size in [AvatarSize::Large, AvatarSize::Small] {
            assert_eq!(AvatarSize::parse(&size.pixels().to_string()), Ok(size));
        }
    }

    proptest! {
        #[test]
        fn no_other_text_is_a_size(text in "\\PC{0,8}") {
            prop_assume!(text != "512" && text != "64");
            prop_assert!(AvatarSize::parse(&text).is_err());
        }
    }
}

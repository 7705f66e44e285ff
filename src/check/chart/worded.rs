//! Enumerations whose words and meaning are told to people: each from one list.

/// Makes an enumeration, the words for its members, and what they mean: the comment on each.
macro_rules! worded {
    (
        $(#[doc = $about:literal])+
        enum $Enum:ident;
        $($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Enum {
            $($(#[doc = $doc])+ $name,)+
        }

        impl $Enum {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its word in `causes.toml`.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// What it means, in a sentence or two.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }
    };
}

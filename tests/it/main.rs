//! The one integration binary: a module for each feature, and `floors`, which reads the source itself.

mod floors;

//! What all pages share: their frame, how they look, both languages, and the parts they are made of.
//!
//! A page is a value: a [`Frame`] (title, navigation, language, theme) around sections whose bodies are rendered parts
//! (tables, charts, forms). Parts escape what they are given, so a page cannot forget to. Everything works without a script;
//! `assets/pages.js` only makes it nicer. This module knows no account and no session: `console` and `portal` do.

pub(crate) mod look;
pub(crate) mod words;

pub(crate) mod frame;
pub(crate) mod page;

pub(crate) mod browser;
pub(crate) mod chart;
pub(crate) mod dialog;
pub(crate) mod example;
pub(crate) mod field;
pub(crate) mod filters;
pub(crate) mod part;
pub(crate) mod table;
pub(crate) mod wanted;

pub(crate) mod assets;
pub(crate) mod form;
pub(crate) mod href;
pub(crate) mod once;
pub(crate) mod preferences;
pub(crate) mod refusals;
pub(crate) mod respond;
pub(crate) mod rules;
pub(crate) mod sent;
pub(crate) mod show;

/// The page where customers find their keys.
pub(crate) const SETTINGS_PATH: &str = "/portal";

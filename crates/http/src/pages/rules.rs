//! Rules that forms break, as people read them beside a field, in both languages.
//!
//! A form is read as the body of the API's own request, and what it breaks is told in the API's words. Here those become the
//! words of a page: a person types no JSON, and may read Chinese. The API itself is not touched. A rule that is not known here
//! is told as the API has it, and the tests below fail for one that a page can show.

use super::look::Language;
use super::show;
use crate::problem::{Code, Problem};

/// A form came without the name that it is carried out under.
pub(crate) const FORM_IS_STALE: &str = "must come with the form: open it again";
/// A form asks for what its page does not do.
pub(crate) const NO_SUCH_FORM: &str = "must be what the page offers";

/// What is wrong with a field.
pub(crate) fn told(rule: &str, language: Language) -> String {
    RuleWords::of(language).telling(rule).unwrap_or(rule).to_owned()
}

/// What is wrong, where no field shows it.
pub(crate) fn told_whole(problem: &Problem, language: Language) -> String {
    let known = match language {
        Language::English => None,
        Language::Chinese => in_chinese(problem),
    };
    known.unwrap_or_else(|| show::sentence(&told(problem.rule(), language), language))
}

/// Problems that are not about a field.
fn in_chinese(problem: &Problem) -> Option<String> {
    let text = match problem.code() {
        Code::NotFound => "所指对象不存在。".to_owned(),
        Code::Forbidden => {
            let scope = problem.detail().strip_prefix("the operator key lacks the scope ")?;
            format!("操作员密钥缺少 {scope} 权限。")
        }
        Code::Unavailable if problem.detail().ends_with("nothing was done, try again") => {
            "服务暂不可用，未执行任何操作，请重试。".to_owned()
        }
        Code::Unavailable if problem.detail().starts_with("the store cannot be read") => {
            "暂时无法读取数据，请重试。".to_owned()
        }
        Code::Unavailable => {
            "提交时与数据库的连接中断，无法得知操作是否已执行，请先查看结果再重试。".to_owned()
        }
        Code::InvalidRequest
        | Code::Unauthorized
        | Code::InsufficientCredits
        | Code::KeyLimitExceeded
        | Code::AccountFrozen
        | Code::MethodNotAllowed
        | Code::Conflict
        | Code::PayloadTooLarge
        | Code::UnsupportedMediaType
        | Code::IdempotencyKeyReused
        | Code::HeadersTooLarge
        | Code::RateLimited
        | Code::Internal => return None,
    };
    Some(text)
}

/// What the API's rules are in a language; each but the last three completes "this field …".
struct RuleWords {
    empty: &'static str,
    too_long: &'static str,
    control_characters: &'static str,
    visible_ascii: &'static str,
    credits: &'static str,
    credits_fraction: &'static str,
    credits_range: &'static str,
    not_zero: &'static str,
    above_zero: &'static str,
    zero_or_more: &'static str,
    price: &'static str,
    price_fraction: &'static str,
    price_range: &'static str,
    priority: &'static str,
    overlap: &'static str,
    time: &'static str,
    scopes: &'static str,
    not_offered: &'static str,
    form_is_stale: &'static str,
    no_such_form: &'static str,
    no_such_page: &'static str,
}

static ENGLISH: RuleWords = RuleWords {
    empty: "must not be empty",
    too_long: "must have at most 255 characters",
    control_characters: "must not contain control characters",
    visible_ascii: "must consist of visible ASCII characters",
    credits: "must be a number such as 12.5",
    credits_fraction: "must have at most 6 digits after the point",
    credits_range: "must lie between -9000000000000 and 9000000000000",
    not_zero: "must not be zero",
    above_zero: "must be more than zero",
    zero_or_more: "must be zero or more",
    price: "must be a number such as 0.0025, and not below zero",
    price_fraction: "must have at most 12 digits after the point",
    price_range: "must lie between 0 and 9000000000000",
    priority: "must be a whole number from 0 to 100",
    overlap: "must be a whole number of seconds from 0 to 604800",
    time: "must be a time between 1970 and 9999",
    scopes: "must name at least one scope",
    not_offered: "must be one of those offered",
    form_is_stale: "the form has lost its name: open it again",
    no_such_form: "the page has no such form",
    no_such_page: "the list has no such page",
};

static CHINESE: RuleWords = RuleWords {
    empty: "不能为空",
    too_long: "最多 255 个字符",
    control_characters: "不能包含控制字符",
    visible_ascii: "只能使用可见的 ASCII 字符",
    credits: "必须是数字，例如 12.5",
    credits_fraction: "小数点后最多 6 位",
    credits_range: "必须介于 -9000000000000 与 9000000000000 之间",
    not_zero: "不能为零",
    above_zero: "必须大于零",
    zero_or_more: "不能小于零",
    price: "必须是不小于零的数字，例如 0.0025",
    price_fraction: "小数点后最多 12 位",
    price_range: "必须介于 0 与 9000000000000 之间",
    priority: "必须是 0 到 100 的整数",
    overlap: "必须是 0 到 604800 的整数秒数",
    time: "必须是 1970 年至 9999 年之间的时间",
    scopes: "至少选择一项权限",
    not_offered: "必须是所列选项之一",
    form_is_stale: "表单已失效，请重新打开",
    no_such_form: "页面没有此表单",
    no_such_page: "列表没有这一页",
};

impl RuleWords {
    const fn of(language: Language) -> &'static RuleWords {
        language.pick(&ENGLISH, &CHINESE)
    }

    /// The words for a rule of the API.
    fn telling(&self, rule: &str) -> Option<&'static str> {
        Some(match rule {
            "must not be empty" => self.empty,
            // A field that is left empty is not sent.
            _ if rule.starts_with("missing field `") => self.empty,
            "must have at most 255 characters" => self.too_long,
            "must not contain control characters" => self.control_characters,
            "must consist of visible ASCII characters" => self.visible_ascii,
            "must be a decimal string such as \"12.5\", or a JSON integer" => self.credits,
            "must have at most 6 fraction digits" => self.credits_fraction,
            "must lie between -9000000000000 and 9000000000000" => self.credits_range,
            "must not be zero" => self.not_zero,
            "must be more than zero" => self.above_zero,
            "must be zero or more" => self.zero_or_more,
            "must be a decimal string such as \"0.0025\", or a JSON integer, and not below zero" => {
                self.price
            }
            "must have at most 12 fraction digits" => self.price_fraction,
            "must lie between 0 and 9000000000000" => self.price_range,
            "must be a whole number from 0 to 100" => self.priority,
            "must be a whole number of seconds from 0 to 604800" => self.overlap,
            "must be an RFC 3339 time between 1970 and 9999, such as 2026-11-22T13:00:00.000Z" => self.time,
            "must name at least one scope" => self.scopes,
            "must be some of read, charge, grant, manage, admin"
            | "must be paid or promotional"
            | "must be day, week, month or total" => self.not_offered,
            FORM_IS_STALE => self.form_is_stale,
            NO_SUCH_FORM => self.no_such_form,
            "must be a next_cursor of this list" => self.no_such_page,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use coffer_ledger::limits::{OVERLAP_MS_MAX, TEXT_CHARACTERS_MAX};
    use coffer_ledger::{CreditsError, RateError, Scope, ScopeError, TextError, TimestampError};
    use coffer_service::Unavailable;

    use super::*;

    /// What the types that a form is read into refuse a text with. A form's own checks are met by the tests of its route.
    fn rules_of_types() -> Vec<String> {
        let texts = [
            TextError::Empty,
            TextError::TooLong { characters_max: TEXT_CHARACTERS_MAX },
            TextError::ControlCharacter,
            TextError::NotVisible,
        ];
        let credits = [CreditsError::NotADecimal, CreditsError::TooPrecise, CreditsError::OutOfRange];
        let rates = [RateError::NotADecimal, RateError::TooPrecise, RateError::OutOfRange];
        let mut rules: Vec<String> = texts.iter().map(ToString::to_string).collect();
        rules.extend(credits.iter().map(ToString::to_string));
        rules.extend(rates.iter().map(ToString::to_string));
        rules.extend([TimestampError.to_string(), ScopeError.to_string()]);
        rules.push(format!("must be a whole number of seconds from 0 to {}", OVERLAP_MS_MAX / 1000));
        rules
    }

    /// What forms and lists check themselves.
    const RULES_OF_FORMS: [&str; 11] = [
        "missing field `credits`",
        "must not be zero",
        "must be more than zero",
        "must be zero or more",
        "must be a whole number from 0 to 100",
        "must name at least one scope",
        "must be paid or promotional",
        "must be day, week, month or total",
        "must be a next_cursor of this list",
        FORM_IS_STALE,
        NO_SUCH_FORM,
    ];

    #[test]
    fn every_rule_that_a_page_can_show_has_words_in_both_languages() {
        let rules = rules_of_types().into_iter().chain(RULES_OF_FORMS.map(str::to_owned));
        for rule in rules {
            assert!(ENGLISH.telling(&rule).is_some(), "{rule:?} has no words");
            assert!(!told(&rule, Language::Chinese).contains("must"), "{rule:?}");
        }
        assert_eq!(
            told("must rhyme", Language::Chinese),
            "must rhyme",
            "what is not known is told all the same"
        );
    }

    #[test]
    fn what_no_field_is_at_fault_for_is_told_in_both_languages() {
        for (problem, english, chinese) in [
            (Problem::not_found("key"), "There is no such key.", "所指对象不存在。"),
            (
                Problem::forbidden(Scope::Grant),
                "The operator key lacks the scope grant.",
                "操作员密钥缺少 grant 权限。",
            ),
            (Problem::invalid("do", NO_SUCH_FORM), "The page has no such form.", "页面没有此表单。"),
            (
                Problem::from(Unavailable::ShuttingDown),
                "The server is shutting down; nothing was done, try again.",
                "服务暂不可用，未执行任何操作，请重试。",
            ),
        ] {
            assert_eq!(told_whole(&problem, Language::English), english);
            assert_eq!(told_whole(&problem, Language::Chinese), chinese);
        }
        let in_doubt = told_whole(&Problem::from(Unavailable::InDoubt), Language::Chinese);
        assert!(in_doubt.contains("无法得知"), "{in_doubt}");
    }
}

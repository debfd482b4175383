//! The texts of what all pages share. Each language is one value of one structure, so a text that is missing in
//! either does not compile; sections of the site have structures of their own, built in the same way.

use super::look::{Language, Theme};

pub(crate) struct Words {
    pub(crate) skip: &'static str,
    pub(crate) menu: &'static str,
    pub(crate) language: &'static str,
    pub(crate) theme: &'static str,
    pub(crate) theme_system: &'static str,
    pub(crate) theme_light: &'static str,
    pub(crate) theme_dark: &'static str,
    pub(crate) sign_out: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) copied: &'static str,
    pub(crate) cancel: &'static str,
    pub(crate) close: &'static str,
    pub(crate) optional: &'static str,
    pub(crate) search: &'static str,
    pub(crate) filter: &'static str,
    pub(crate) all: &'static str,
    pub(crate) pages: &'static str,
    pub(crate) first_page: &'static str,
    pub(crate) next_page: &'static str,
    pub(crate) as_table: &'static str,
    pub(crate) times_are_utc: &'static str,
    pub(crate) form_has_errors: &'static str,
    pub(crate) error_not_found: &'static str,
    pub(crate) error_not_found_text: &'static str,
    pub(crate) error_forbidden: &'static str,
    pub(crate) error_refused: &'static str,
    pub(crate) error_no_form: &'static str,
    pub(crate) error_unavailable: &'static str,
    pub(crate) error_unavailable_text: &'static str,
}

static ENGLISH: Words = Words {
    skip: "Skip to content",
    menu: "Menu",
    language: "Language",
    theme: "Theme",
    theme_system: "Like the system",
    theme_light: "Light",
    theme_dark: "Dark",
    sign_out: "Sign out",
    copy: "Copy",
    copied: "Copied",
    cancel: "Cancel",
    close: "Close",
    optional: "optional",
    search: "Search",
    filter: "Filter",
    all: "All",
    pages: "Pages",
    first_page: "First page",
    next_page: "Next page",
    as_table: "Show as a table",
    times_are_utc: "All times are in UTC.",
    form_has_errors: "This could not be done",
    error_not_found: "Nothing is here",
    error_not_found_text: "The address may be mistyped, or what it named does not exist.",
    error_forbidden: "You may not do this",
    error_refused: "This was refused",
    error_no_form: "What arrived is no form of these pages, or is too long for one. Nothing was done.",
    error_unavailable: "Not available just now",
    error_unavailable_text: "Nothing is lost. Try again in a moment.",
};

static CHINESE: Words = Words {
    skip: "跳到正文",
    menu: "菜单",
    language: "语言",
    theme: "主题",
    theme_system: "跟随系统",
    theme_light: "浅色",
    theme_dark: "深色",
    sign_out: "退出登录",
    copy: "复制",
    copied: "已复制",
    cancel: "取消",
    close: "关闭",
    optional: "选填",
    search: "搜索",
    filter: "筛选",
    all: "全部",
    pages: "分页",
    first_page: "第一页",
    next_page: "下一页",
    as_table: "以表格显示",
    times_are_utc: "所有时间均为 UTC。",
    form_has_errors: "操作未完成",
    error_not_found: "页面不存在",
    error_not_found_text: "地址可能有误，或所指对象不存在。",
    error_forbidden: "没有权限",
    error_refused: "请求被拒绝",
    error_no_form: "收到的内容不是本站的表单，或超出长度限制，未执行任何操作。",
    error_unavailable: "暂时不可用",
    error_unavailable_text: "数据没有丢失，请稍后重试。",
};

impl Language {
    /// The texts of what all pages share.
    pub(crate) const fn words(self) -> &'static Words {
        self.pick(&ENGLISH, &CHINESE)
    }
}

impl Words {
    pub(crate) const fn theme_named(&self, theme: Theme) -> &'static str {
        match theme {
            Theme::System => self.theme_system,
            Theme::Light => self.theme_light,
            Theme::Dark => self.theme_dark,
        }
    }
}

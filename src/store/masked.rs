/// A number or SIP address as it may be shown: seven characters or more keep their last three,
/// shorter ones none. The host of a SIP address is left out.
///
/// ```
/// assert_eq!(hotline::store::masked("+8613812345678"), "***********678");
/// assert_eq!(hotline::store::masked("sip:1001@pbx.example"), "****");
/// ```
pub fn masked(number: &str) -> String {
    let number = number.trim_start_matches("sips:").trim_start_matches("sip:");
    let user = number.trim_start_matches("tel:").split('@').next().unwrap_or("");
    let n = user.chars().count();
    let keep = if n >= 7 { 3 } else { 0 };
    "*".repeat(n - keep) + &user.chars().skip(n - keep).collect::<String>()
}

//! The housing fund's hotline, spoken to in Chinese text.

mod dialog_support;

use dialog_support::{Played, dialplan, play};
use hotline::dialog::Expect;

const OPENING: &str = "
    B 您好，云州公积金中心智能语音助手，通话将被录音。
    B 请问您要办什么业务？
";

fn conversation(script: &str) -> Played {
    play(&dialplan("fund-zh.yaml"), &format!("{OPENING}{script}"))
}

#[test]
fn the_balance_is_told_after_verification_with_a_corrected_phone_number() {
    let played = conversation(
        "
        C 我想查一下我公积金还有多少钱
        B 请说一下您登记的手机号码。
        C 一三九 一二三四 五六七八九
        B 抱歉，请说十一位手机号码。
        C 一三九 一二三四 五六七八
        B 您的号码是13912345678，对吗？
        C 不对，是一三八，零零一三，八零零零
        B 您的号码是13800138000，对吗？
        C 嗯对
        B 请说身份证后六位，末位是X请说叉。
        C 呃，二九三二二四
        B 验证通过。您的余额是48215.60，上次缴存日期是2026-11-10。
        B 还有别的吗？
        C 没有了
        B 感谢来电，再见。
        = resolved
        ",
    );
    let outcome = played.outcome.expect("the bot hung up");
    assert_eq!(outcome.slots["phone"], "*******8000");
    assert_eq!(outcome.slots["id_tail"], "****24");
    assert_eq!(played.listens[1].expect, Expect::Digits { min: 11, max: 11 });
}

#[test]
fn an_id_that_ends_in_x_is_accepted_by_voice_and_by_star_key() {
    for tail in ["三一零零二叉", "[31002*]"] {
        conversation(&format!(
            "
            C 查余额
            B 请说一下您登记的手机号码。
            C [13500135000]
            B 您的号码是13500135000，对吗？
            C [1]
            B 请说身份证后六位，末位是X请说叉。
            C {tail}
            B 验证通过。您的余额是9120.35，上次缴存日期是2026-10-12。
            B 还有别的吗？
            "
        ));
    }
}

#[test]
fn two_wrong_verifications_tell_no_balance_and_lead_to_a_message() {
    let played = conversation(
        "
        C 查余额
        B 请说一下您登记的手机号码。
        C [13800138000]
        B 您的号码是13800138000，对吗？
        C 对
        B 请说身份证后六位，末位是X请说叉。
        C 一一一一一一
        B 号码或证件不符，请再试一次。
        B 请说一下您登记的手机号码。
        C [13800138000]
        B 您的号码是13800138000，对吗？
        C 对
        B 请说身份证后六位，末位是X请说叉。
        C 二二二二二二
        B 验证没有通过，不能为您报余额。
        B 现在不能转接人工。要留言请工作人员回电吗？
        C 好的
        B 请说您的姓名、电话和要问的事。
        C 我叫陈晓，电话一三八零零一三八零零零，想问余额
        B 留言已记下，再见。
        = callback
        ",
    );
    assert!(!played.nodes.contains(&"balance.tell".to_owned()), "no balance without verification");
}

#[test]
fn asking_for_the_balance_again_after_two_failures_does_not_give_more_tries() {
    conversation(
        "
        C 查余额
        B 请说一下您登记的手机号码。
        C [13800138000]
        B 您的号码是13800138000，对吗？
        C [1]
        B 请说身份证后六位，末位是X请说叉。
        C [111111]
        B 号码或证件不符，请再试一次。
        B 请说一下您登记的手机号码。
        C [13800138000]
        B 您的号码是13800138000，对吗？
        C [1]
        B 请说身份证后六位，末位是X请说叉。
        C [222222]
        B 验证没有通过，不能为您报余额。
        B 现在不能转接人工。要留言请工作人员回电吗？
        C 我想查一下公积金余额
        B 验证没有通过，不能为您报余额。
        B 现在不能转接人工。要留言请工作人员回电吗？
        ",
    );
}

#[test]
fn who_may_withdraw_for_rent_depends_on_house_and_months_paid() {
    for (house, months, answer) in [
        ("没有", Some("满了"), "您符合条件，租房提取每月最多一千五百元。"),
        ("没有房子", Some("还没满呢"), "连续缴存满三个月才能办理租房提取。"),
        ("没有", Some("还没有"), "连续缴存满三个月才能办理租房提取。"),
        ("有", None, "本市有房的不能办理租房提取。"),
    ] {
        let months =
            months.map(|m| format!("B 您连续缴存满三个月了吗？\nC {m}")).unwrap_or_default();
        conversation(&format!(
            "
            C 租房能不能提公积金
            B 请问您在本市有房吗？
            C {house}
            {months}
            B {answer}
            B 还有别的吗？
            C 没了谢谢
            B 感谢来电，再见。
            = resolved
            "
        ));
    }
}

#[test]
fn a_question_in_the_middle_is_answered() {
    conversation(
        "
        C 查余额
        B 请说一下您登记的手机号码。
        C 哎那你们周末上班吗
        B 周一到周五九点到十七点办公，周末不上班。
        B 好，我们继续。
        B 请说一下您登记的手机号码。
        ",
    );
}

#[test]
fn a_person_is_asked_for_in_the_middle_of_a_question() {
    conversation(
        "
        C 查余额
        B 请说一下您登记的手机号码。
        C 你直接给我转人工
        B 现在不能转接人工。要留言请工作人员回电吗？
        C 不用了
        B 感谢来电，再见。
        = resolved
        ",
    );
}

#[test]
fn three_silences_offer_a_message_and_then_end_the_call() {
    conversation(
        "
        C [silence]
        B 您可以说查余额、租房提取，或者办公时间。
        C [silence]
        B 查余额请按一，租房提取请按二，办公时间请按三，留言请按零。
        C [silence]
        B 现在不能转接人工。要留言请工作人员回电吗？
        C [silence]
        B 您好，还在听吗？
        B 现在不能转接人工。要留言请工作人员回电吗？
        C [silence]
        B 还是没有听到您的声音。
        B 现在不能转接人工。要留言请工作人员回电吗？
        C [silence]
        B 感谢来电，再见。
        = resolved
        ",
    );
}

#[test]
fn repeat_says_the_read_back_again() {
    conversation(
        "
        C [1]
        B 请说一下您登记的手机号码。
        C [13800138000]
        B 您的号码是13800138000，对吗？
        C 再说一遍
        B 您的号码是13800138000，对吗？
        ",
    );
}

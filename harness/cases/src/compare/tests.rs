//! The rules of comparison at their edges.

use super::*;

const HEAD: &str = "#datatype,string,long,string,double\r\n#group,false,false,true,false\r\n\
                    #default,_result,,,\r\n,result,table,t,_value\r\n";

fn served(rows: &str) -> ResultSet {
    read(&format!("{HEAD}{rows}\r\n")).unwrap()
}

fn class(found: &str, wanted: &str) -> Option<Class> {
    as_served(&served(found), &served(wanted), TableOrder::Counts).err().map(|it| it.class)
}

#[test]
fn floats_that_differ_in_the_last_digit_are_the_same() {
    assert_eq!(class(",,0,a,0.30000000000000004\r\n", ",,0,a,0.3\r\n"), None);
}

#[test]
fn a_zero_with_another_sign_is_another_value() {
    assert_eq!(class(",,0,a,-0\r\n", ",,0,a,0\r\n"), Some(Class::Cells));
}

#[test]
fn a_null_is_not_a_zero() {
    assert_eq!(class(",,0,a,\r\n", ",,0,a,0\r\n"), Some(Class::Cells));
}

#[test]
fn rows_in_another_order_are_told_from_other_rows() {
    assert_eq!(class(",,0,a,1\r\n,,0,a,2\r\n", ",,0,a,2\r\n,,0,a,1\r\n"), Some(Class::RowOrder));
}

#[test]
fn tables_in_another_order_differ_where_the_order_counts() {
    let (one, other) = (",,0,a,1\r\n,,1,b,1\r\n", ",,0,b,1\r\n,,1,a,1\r\n");
    assert_eq!(class(one, other), Some(Class::TableOrder));
    assert!(as_served(&served(one), &served(other), TableOrder::Free).is_ok());
}

#[test]
fn a_missing_row_is_found() {
    assert_eq!(class(",,0,a,1\r\n", ",,0,a,1\r\n,,0,a,1\r\n"), Some(Class::Rows));
}

#[test]
fn an_empty_table_is_not_an_absent_one_between_servers() {
    let empty = read(&HEAD.replace("#default,_result,,,", "#default,_result,0,a,")).unwrap();
    let difference = as_served(&ResultSet::default(), &empty, TableOrder::Counts);
    assert_eq!(difference.unwrap_err().class, Class::Tables);
}

#[test]
fn an_empty_table_is_an_absent_one_by_the_rule_of_the_cases() {
    let empty = read(&HEAD.replace("#default,_result,,,", "#default,_result,0,a,")).unwrap();
    assert_eq!(by_rule(&ResultSet::default(), &empty), Ok(()));
}

#[test]
fn a_column_of_nulls_is_a_missing_one_by_the_rule_of_the_cases() {
    let more = "#datatype,string,long,string,double,long\r\n#group,false,false,true,false,false\r\n\
                #default,_result,,,,\r\n,result,table,t,_value,n\r\n,,0,a,1,\r\n";
    assert_eq!(by_rule(&served(",,0,a,1\r\n"), &read(more).unwrap()), Ok(()));
}

#[test]
fn floats_within_a_millionth_are_the_same_by_the_rule_of_the_cases() {
    assert_eq!(by_rule(&served(",,0,a,1.0000009\r\n"), &served(",,0,a,1\r\n")), Ok(()));
    assert!(by_rule(&served(",,0,a,1.00001\r\n"), &served(",,0,a,1\r\n")).is_err());
}

#[test]
fn an_error_after_rows_is_no_expected_answer() {
    let text = format!("{HEAD},,0,a,1\r\n\r\nerror,reference\r\nit broke,\r\n");
    assert!(by_rule(&read(&text).unwrap(), &served(",,0,a,1\r\n")).is_err());
}

#[test]
fn a_refusal_with_another_code_is_another_answer() {
    let refused = |code: &str, message: &str| Answer {
        status: 400,
        body: format!("{{\"code\":\"{code}\",\"message\":\"{message}\"}}"),
    };
    let class = |one: &Answer, other: &Answer| answers(one, other, TableOrder::Free).err();
    let (one, other) = (refused("invalid", "a"), refused("not found", "a"));
    assert_eq!(class(&one, &other).unwrap().class, Class::Status);
    let other = refused("invalid", "b");
    assert_eq!(class(&one, &other).unwrap().class, Class::Wording);
}

#[test]
fn json_answers_are_compared_number_by_number() {
    let answer = |body: &str| Answer { status: 200, body: body.to_owned() };
    let same = |one: &str, other: &str| answers(&answer(one), &answer(other), TableOrder::Free);
    assert_eq!(same(r#"{"a":[1.0]}"#, r#"{"a":[1]}"#), Ok(()));
    assert!(same(r#"{"a":[1]}"#, r#"{"a":[2]}"#).is_err());
    assert!(same(r#"{"a":1}"#, r#"{"b":1}"#).is_err());
}

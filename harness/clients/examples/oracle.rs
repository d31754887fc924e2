//! scratch
#![allow(warnings)]
use cutover_clients::influx::csv::CsvDecoder;
use cutover_clients::influx::line_protocol::encode;
use cutover_clients::influx::*;
use cutover_clients::*;
use cutover_model::*;
use std::collections::BTreeMap;
use std::time::*;
fn rnd(s: &mut u64) -> u64 {
    *s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*s >> 33) ^ (*s >> 7)
}
fn name(s: &mut u64) -> String {
    let cs = ['a', 'b', 'é', ',', '=', ' ', '\\', '"', '#', '\t', '\r', 'x', '\'', '~'];
    let n = 1 + rnd(s) % 6;
    (0..n).map(|_| cs[(rnd(s) % cs.len() as u64) as usize]).collect()
}
fn val(s: &mut u64) -> FieldValue {
    match rnd(s) % 5 {
        0 => FieldValue::Float({
            let f = f64::from_bits(rnd(s) ^ (rnd(s) << 32));
            if f.is_finite() { f } else { 1.0e21 }
        }),
        1 => FieldValue::Integer((rnd(s) ^ (rnd(s) << 32)) as i64),
        2 => FieldValue::Unsigned(rnd(s) ^ (rnd(s) << 32)),
        3 => FieldValue::Boolean(rnd(s) % 2 == 0),
        _ => {
            let cs = ['a', ',', '=', ' ', '\\', '"', '\n', '#', 'é'];
            let n = 1 + rnd(s) % 8;
            FieldValue::Text((0..n).map(|_| cs[(rnd(s) % 9) as usize]).collect())
        }
    }
}
#[tokio::main(flavor = "current_thread")]
async fn main() {
    // perf
    let mut text = String::from(
        "#datatype,string,long,dateTime:RFC3339,double,string,string,string\r\n#group,false,false,false,false,true,true,true\r\n#default,_result,,,,,,\r\n,result,table,_time,_value,_field,_measurement,region\r\n",
    );
    for i in 0..1_000_000 {
        text.push_str(&format!(
            ",,0,2023-01-01T{:02}:{:02}:{:02}Z,{}.25,value,demand_mw,SE\r\n",
            i / 3600 % 24,
            i / 60 % 60,
            i % 60,
            40000 + i % 1000
        ));
    }
    for round in 0..3 {
        let t = Instant::now();
        let mut d = CsvDecoder::new();
        let mut n = 0;
        let mut sum = 0.0;
        let mut tsum = 0i64;
        for part in text.as_bytes().chunks(64 * 1024) {
            d.feed(part).unwrap();
            while let Some(c) = d.take() {
                for r in c.rows() {
                    n += 1;
                    if round > 0 {
                        if let FluxValue::Float(f) = r.value(3).unwrap() {
                            sum += f;
                        }
                        if let FluxValue::Time(t) = r.value(2).unwrap() {
                            tsum ^= t;
                        }
                    }
                }
            }
        }
        d.finish().unwrap();
        println!("csv {n} rows {} MB {:?} {sum} {tsum}", text.len() / 1_000_000, t.elapsed());
    }
    let row = Row {
        time_ns: 1_672_531_200_123_456_789,
        tags: [
            ("region".to_string(), "SE".to_string()),
            ("plant".to_string(), "Itaipu 1".to_string()),
        ]
        .into(),
        fields: [
            ("value".to_string(), FieldValue::Float(41234.56)),
            ("count".to_string(), FieldValue::Integer(12345)),
        ]
        .into(),
    };
    let mut out = Vec::with_capacity(200_000_000);
    let t = Instant::now();
    for _ in 0..1_000_000 {
        encode(&mut out, "demand_mw", &row, Precision::Nanoseconds).unwrap();
    }
    println!("encode 1M rows {} MB {:?}", out.len() / 1_000_000, t.elapsed());
    // oracle
    let to = Timeouts {
        connect: Duration::from_secs(2),
        answer: Duration::from_secs(60),
        idle: Duration::from_secs(60),
    };
    let c = InfluxClient::new(
        InfluxEndpoint {
            url: "http://127.0.0.1:18186".into(),
            org: "o".into(),
            token: Secret::new("tok-secret"),
        },
        Http::sockets(to).unwrap(),
    )
    .unwrap();
    println!("{:?} {:?}", c.health().await, c.ready().await);
    println!(
        "{:?}",
        c.setup(&SetupRequest {
            username: "x".into(),
            password: Secret::new("password1"),
            bucket: "z".into(),
            retention: Retention::Infinite
        })
        .await
    );
    let day7 = Retention::For(Duration::from_secs(7 * 86400));
    println!(
        "{:?} {:?} {:?}",
        c.ensure_bucket("or 1", Retention::Infinite).await,
        c.ensure_bucket("or 1", Retention::Infinite).await,
        c.ensure_bucket("or 1", day7).await
    );
    println!("{:?} {:?}", c.find_bucket("none").await, c.find_bucket("or 1").await);
    println!(
        "{:?}",
        c.write("none", Precision::Nanoseconds, "m f=1 1".into(), Encoding::Gzip).await
    );
    println!("{:?}", c.query("from(bucket:\"none\") |> range(start:0)").await.err());
    println!("{:?}", c.delete("or 1", TimeRange { start_ns: 0, stop_ns: 1000 }, "nonsense").await);
    let seed0: u64 = std::env::args().nth(1).map_or(1, |s| s.parse().unwrap());
    let mut s = seed0;
    let (mut ok, mut refused, mut bad) = (0, 0, 0);
    for i in 0..3000 {
        let m = format!("{}{}", name(&mut s), i);
        let tags: Tags = (0..rnd(&mut s) % 3).map(|_| (name(&mut s), name(&mut s))).collect();
        let fields: BTreeMap<String, FieldValue> =
            (0..1 + rnd(&mut s) % 3).map(|_| (name(&mut s), val(&mut s))).collect();
        let row =
            Row { time_ns: (rnd(&mut s) as i64 ^ ((rnd(&mut s) as i64) << 31)) >> 2, tags, fields };
        let mut out = Vec::new();
        if encode(&mut out, &m, &row, Precision::Nanoseconds).is_err() {
            refused += 1;
            continue;
        }
        let w = c
            .write(
                "or 1",
                Precision::Nanoseconds,
                out.clone().into(),
                if i % 2 == 0 { Encoding::Gzip } else { Encoding::Plain },
            )
            .await
            .unwrap();
        if w != WriteOutcome::Stored {
            bad += 1;
            println!("NOT STORED {w:?} {m:?} {row:?} {}", String::from_utf8_lossy(&out));
            continue;
        }
        ok += 1;
        let ml = serde_json::to_string(&m).unwrap().replace("\\t", "\\t");
        let (a, b) = (row.time_ns, row.time_ns + 1);
        let flux = format!(
            "from(bucket:\"or 1\") |> range(start: {}, stop: {}) |> filter(fn: (r) => r._measurement == {ml})",
            format_rfc3339(a),
            format_rfc3339(b)
        );
        let mut r = c.query(&flux).await.unwrap();
        let mut back: BTreeMap<String, FieldValue> = BTreeMap::new();
        let mut t = Tags::new();
        let mut times = vec![];
        while let Some(chunk) = r.next().await.unwrap() {
            let sc = chunk.schema().clone();
            for rw in chunk.rows() {
                let mut f = String::new();
                let mut v = None;
                for (p, col) in sc.columns.iter().enumerate() {
                    match &*col.name {
                        "result" | "table" | "_start" | "_stop" | "_measurement" => {}
                        "_time" => {
                            if let FluxValue::Time(t) = rw.value(p).unwrap() {
                                times.push(t)
                            }
                        }
                        "_field" => f = rw.text(p).unwrap().to_string(),
                        "_value" => v = rw.value(p).unwrap().to_field(),
                        k => {
                            t.insert(k.to_string(), rw.text(p).unwrap().to_string());
                        }
                    }
                }
                back.insert(f, v.unwrap_or(FieldValue::Text(String::new())));
            }
        }
        let strip = |x: &str| x.replace('\r', "");
        let wt: Tags = row.tags.iter().map(|(k, v)| (strip(k), strip(v))).collect();
        let wf: BTreeMap<String, FieldValue> =
            row.fields.iter().map(|(k, v)| (strip(k), v.clone())).collect();
        if t != wt || back != wf || times.iter().any(|t| *t != row.time_ns) {
            bad += 1;
            println!(
                "DIFFERS {m:?}\n  wrote {wt:?} {wf:?}\n  read {t:?} {back:?} {times:?}\n {}",
                String::from_utf8_lossy(&out)
            );
        }
    }
    println!("ok {ok} refused {refused} bad {bad}");
}

//! What hostile bodies are made of: ordinary requests, tokens, and scripts that ask for too much.

/// Line protocol with everything that the format has.
pub(super) const LINES: &[&str] = &[
    "cpu,host=a,dc=x usage=1.5,n=3i,u=7u,ok=true,s=\"text\" 1672531200000000000\n",
    "m\\ m,t\\,g=a\\=b f\\ d=\"q\\\"q\\\\\" 1\nm v=1 2\n# a comment\n\nm v=2i 3\n",
    "wetter,ort=Köln temp=-0.0 1\nwetter,ort=東京 temp=1e300 2\n",
    "m v=1\nm v=t\nm v=F\nm v=\"\" 9223372036854775806\nm v=1 -9223372036854775806\n",
    "m,a=1,b=2,c=3,d=4 v=1,w=2,x=3,y=4,z=5 1\r\nm,b=2,a=1 v=1 1\r\n",
];

/// Scripts that go through much of the language.
pub(super) const SCRIPTS: &[&str] = &[
    "from(bucket: \"b\") |> range(start: -30d) |> filter(fn: (r) => r._measurement == \"cpu\" and \
     r.host =~ /^a.*$/ or not exists r.dc) |> aggregateWindow(every: 1h, fn: mean, createEmpty: \
     false) |> yield(name: \"one\")",
    "import \"strings\"\nimport \"math\"\nf = (x, y=2) => { z = x * y return z + 1 }\nfrom(bucket: \
     \"b\") |> range(start: 2023-01-01T00:00:00Z, stop: 2023-02-01T00:00:00Z) |> map(fn: (r) => \
     ({r \
     with a: if r._value > 1.0 then f(x: 1) else -3, s: \"v=${string(v: r._value)}\"}))",
    "import \"array\"\nimport \"dict\"\nd = [\"a\": 1, \"b\": 2]\narray.from(rows: [{a: 1, b: \
     \"x\", \
     c: 2.5, d: true, t: 2023-01-01T00:00:00Z}, {a: 2, b: \"y\", c: -0.5, d: false, t: now()}]) |> \
     group(columns: [\"b\"]) |> reduce(identity: {s: 0}, fn: (r, accumulator) => ({s: \
     accumulator.s \
     + r.a}))",
    "option now = () => 2023-01-10T00:00:00Z\noption task = {name: \"t\", every: 1h}\na = \
     from(bucket: \
     \"b\") |> range(start: -1y)\nb = a |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], \
     valueColumn: \"_value\")\njoin(tables: {a: a, b: b}, on: [\"_time\"], method: \"inner\") |> \
     sort(columns: [\"_time\"], desc: true) |> limit(n: 3, offset: 1)",
    "import \"date\"\nimport \"timezone\"\noption location = timezone.location(name: \
     \"America/Sao_Paulo\")\nfrom(bucket: \"b\") |> range(start: 0) |> window(every: 1mo, offset: \
     -3d) |> quantile(q: 0.9, method: \"exact_mean\") |> duplicate(column: \"_stop\", as: \
     \"_time\") \
     |> group() |> derivative(unit: 1s, nonNegative: true) |> histogram(bins: [0.0, 1.0])",
    "import \"csv\"\ncsv.from(csv: \"#datatype,string,long,double\\n#group,false,false,false\\n\
     #default,_result,,\\n,result,table,_value\\n,,0,1.5\\n\") |> union(tables: [buckets()])",
];

/// Statements of the older language.
pub(super) const STATEMENTS: &[&str] = &[
    "SELECT mean(usage), max(\"n\") FROM \"cpu\" WHERE time >= '2023-01-01T00:00:00Z' AND time < \
     now() \
     AND (host = 'a' OR dc =~ /^x/) GROUP BY time(1h, 5m), host fill(previous) ORDER BY time DESC \
     LIMIT 10 OFFSET 2 SLIMIT 1 tz('America/Sao_Paulo')",
    "SHOW MEASUREMENTS; SHOW TAG KEYS FROM cpu; SHOW TAG VALUES WITH KEY IN (\"host\", \"dc\"); \
     SHOW \
     FIELD KEYS",
    "SELECT derivative(mean(v), 1s) AS d FROM (SELECT v + 1 AS v FROM m) WHERE v > 0 GROUP BY \
     time(10s) fill(0)",
    "SELECT *, -v * (2 + 3) % 4 FROM /.*/ GROUP BY *",
];

/// Scripts that ask for more than a server should give.
pub(super) const DEARER: &[&str] = &[
    "import \"strings\"\nstrings.repeat(v: \"0123456789\", i: 1000000000)",
    "import \"generate\"\ngenerate.from(count: 1000000000, fn: (n) => n, start: \
     2020-01-01T00:00:00Z, \
     stop: 2021-01-01T00:00:00Z)",
    "from(bucket: \"b\") |> range(start: 1970-01-01T00:00:01Z, stop: 2260-01-01T00:00:00Z) |> \
     aggregateWindow(every: 1ns, fn: mean)",
    "from(bucket: \"b\") |> range(start: 0) |> window(every: 1s, period: 100y)",
    "f = (x) => f(x: x + 1)\nf(x: 1)",
    "import \"array\"\narray.from(rows: [{s: \"a\"}]) |> map(fn: (r) => ({s: r.s + r.s})) |> \
     map(fn: \
     (r) => ({s: r.s + r.s})) |> filter(fn: (r) => r.s =~ /(((a*)*)*)*b/)",
    "import \"regexp\"\nregexp.compile(v: \"(a{1000}){1000}{1000}\")",
    "import \"array\"\nx = array.from(rows: [{v: 1}, {v: 2}])\njoin(tables: {a: x, b: x}, on: []) \
     |> \
     yield()",
    "m,t=a v=1 1\nm,t=a v=99999999999999999999999999999999999999999999999999e9999 1\n",
    "SELECT mean(v) FROM cpu WHERE time > '1700-01-01' GROUP BY time(1ns) fill(0)",
];

/// Tokens of all three languages, and what breaks them.
pub(super) const TOKENS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "|>",
    "<-",
    "=>",
    "=",
    "==",
    "!=",
    "=~",
    "!~",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "?",
    "$",
    "${",
    "}\"",
    "\"",
    "'",
    "\\",
    "\\\"",
    "//",
    "\n",
    "\r\n",
    "\0",
    "\t",
    " ",
    ";",
    "#",
    "@",
    "and ",
    "or ",
    "not ",
    "exists ",
    "if ",
    " then ",
    " else ",
    "return ",
    "import ",
    "package ",
    "option ",
    "builtin ",
    "testcase ",
    "with ",
    "true",
    "false",
    "null",
    "nil",
    "r",
    "r.",
    "_value",
    "_time",
    "_measurement",
    "now()",
    "from",
    "range",
    "filter(fn: (r) => ",
    "map(fn: (r) => ({",
    "yield()",
    "1",
    "0",
    "-1",
    "1.5",
    "1h",
    "1mo",
    "-1y3d",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e999",
    "2023-01-01T00:00:00Z",
    "2023-13-45T99:99:99Z",
    "0000-00-00",
    "9999-12-31T23:59:59.999999999Z",
    "/a/",
    "/(/",
    "/[/",
    "\"\\x\"",
    "\"\\xff\"",
    "NaN",
    "Inf",
    "i",
    "u",
    "t=",
    ",t=",
    " v=",
    "=1i",
    "SELECT ",
    " FROM ",
    " WHERE ",
    " GROUP BY ",
    "time(",
    "fill(",
    " LIMIT ",
    "SHOW ",
    "DROP ",
    "ä",
    "東",
    "\u{202e}",
    "\u{0}",
    "\u{feff}",
    "🦀",
];

// Functions without a package that are compositions of others.

increase = (columns=["_value"], tables=<-) => tables
    |> difference(columns: columns, nonNegative: true, keepFirst: true, initialZero: true)
    |> cumulativeSum(columns: columns)

stateCount = (fn, column="stateCount", tables=<-) => tables
    |> stateTracking(fn: fn, countColumn: column)

stateDuration = (fn, column="stateDuration", timeColumn="_time", unit=1s, tables=<-) => tables
    |> stateTracking(fn: fn, durationColumn: column, durationUnit: unit, timeColumn: timeColumn)

top = (n, columns=["_value"], tables=<-) => tables
    |> sort(columns: columns, desc: true)
    |> limit(n: n)

bottom = (n, columns=["_value"], tables=<-) => tables
    |> sort(columns: columns)
    |> limit(n: n)

highestMax = (n, column="_value", groupColumns=[], tables=<-) => tables
    |> group(columns: groupColumns)
    |> max(column: column)
    |> group()
    |> top(n: n, columns: [column])

highestAverage = (n, column="_value", groupColumns=[], tables=<-) => tables
    |> group(columns: groupColumns)
    |> mean(column: column)
    |> group()
    |> top(n: n, columns: [column])

highestCurrent = (n, column="_value", groupColumns=[], tables=<-) => tables
    |> group(columns: groupColumns)
    |> last(column: column)
    |> group()
    |> top(n: n, columns: [column])

lowestMin = (n, column="_value", groupColumns=[], tables=<-) => tables
    |> group(columns: groupColumns)
    |> min(column: column)
    |> group()
    |> bottom(n: n, columns: [column])

lowestAverage = (n, column="_value", groupColumns=[], tables=<-) => tables
    |> group(columns: groupColumns)
    |> mean(column: column)
    |> group()
    |> bottom(n: n, columns: [column])

lowestCurrent = (n, column="_value", groupColumns=[], tables=<-) => tables
    |> group(columns: groupColumns)
    |> last(column: column)
    |> group()
    |> bottom(n: n, columns: [column])

timedMovingAverage = (every, period, column="_value", tables=<-) => tables
    |> window(every: every, period: period)
    |> mean(column: column)
    |> duplicate(column: "_stop", as: "_time")
    |> window(every: inf)

timeWeightedAvg = (unit, tables=<-) => tables
    |> integral(unit: unit, interpolate: "linear")
    |> map(fn: (r) => ({r with
        _value: r._value * float(v: int(v: unit)) / float(v: int(v: r._stop) - int(v: r._start)),
    }))

doubleEMA = (n, tables=<-) => tables
    |> exponentialMovingAverage(n: n)
    |> duplicate(column: "_value", as: "__once")
    |> exponentialMovingAverage(n: n)
    |> map(fn: (r) => ({r with _value: 2.0 * r.__once - r._value}))
    |> drop(columns: ["__once"])

tripleEMA = (n, tables=<-) => tables
    |> exponentialMovingAverage(n: n)
    |> duplicate(column: "_value", as: "__once")
    |> exponentialMovingAverage(n: n)
    |> duplicate(column: "_value", as: "__twice")
    |> exponentialMovingAverage(n: n)
    |> map(fn: (r) => ({r with _value: 3.0 * r.__once - 3.0 * r.__twice + r._value}))
    |> drop(columns: ["__once", "__twice"])

kaufmansER = (n, tables=<-) => tables
    |> chandeMomentumOscillator(n: n)
    |> map(fn: (r) => ({r with _value: (if r._value < 0.0 then -r._value else r._value) / 100.0}))

cov = (x, y, on, pearsonr=false) => join(tables: {x: x, y: y}, on: on)
    |> covariance(columns: ["_value_x", "_value_y"], pearsonr: pearsonr)

pearsonr = (x, y, on) => cov(x: x, y: y, on: on, pearsonr: true)

toString = (tables=<-) => tables |> map(fn: (r) => ({r with _value: string(v: r._value)}))
toInt = (tables=<-) => tables |> map(fn: (r) => ({r with _value: int(v: r._value)}))
toUInt = (tables=<-) => tables |> map(fn: (r) => ({r with _value: uint(v: r._value)}))
toFloat = (tables=<-) => tables |> map(fn: (r) => ({r with _value: float(v: r._value)}))
toBool = (tables=<-) => tables |> map(fn: (r) => ({r with _value: bool(v: r._value)}))
toTime = (tables=<-) => tables |> map(fn: (r) => ({r with _value: time(v: r._value)}))

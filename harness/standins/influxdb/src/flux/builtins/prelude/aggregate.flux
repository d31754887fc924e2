// `experimental/aggregate`.
import "experimental"

rate = (every, groupColumns=[], unit=1s, tables=<-) => tables
    |> derivative(unit: unit, nonNegative: true)
    |> aggregateWindow(
        every: every,
        fn: (column, tables=<-) => tables
            |> mean(column: column)
            |> group(columns: groupColumns)
            |> experimental.group(mode: "extend", columns: ["_start", "_stop"])
            |> sum(),
    )

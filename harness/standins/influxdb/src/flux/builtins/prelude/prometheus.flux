// `experimental/prometheus`.
import "experimental"

_quantile = (quantile, onNonmonotonic, tables=<-) => tables
    |> histogramQuantile(quantile: quantile, onNonmonotonic: onNonmonotonic)
    |> group(mode: "except", columns: ["le", "_value", "_time"])
    |> set(key: "quantile", value: string(v: quantile))
    |> experimental.group(mode: "extend", columns: ["quantile"])

histogramQuantile = (quantile, metricVersion=2, onNonmonotonic="error", tables=<-) =>
    if metricVersion == 2 then
        tables
            |> group(mode: "except", columns: ["le", "_value"])
            |> map(fn: (r) => ({r with le: float(v: r.le)}))
            |> _quantile(quantile: quantile, onNonmonotonic: onNonmonotonic)
    else if metricVersion == 1 then
        tables
            |> filter(fn: (r) => r._field != "sum" and r._field != "count")
            |> map(fn: (r) => ({r with le: float(v: r._field)}))
            |> group(mode: "except", columns: ["_field", "le", "_value"])
            |> _quantile(quantile: quantile, onNonmonotonic: onNonmonotonic)
    else
        die(msg: "Invalid metricVersion. Available versions are 1 and 2.")

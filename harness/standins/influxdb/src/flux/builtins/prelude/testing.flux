// `testing`: comparisons whose differences are results.
import "array"
import "experimental"

diff = (want, verbose=false, epsilon=0.000001, nansEqual=false, got=<-) =>
    experimental.diff(got: got, want: want)
        |> yield(name: "errorOutput")

assertEqualValues = (got, want) =>
    diff(got: array.from(rows: [{v: got}]), want: array.from(rows: [{v: want}]))

shouldError = (fn, want) => {
    caught = experimental.catch(fn: fn)

    return
        if exists caught.msg then
            array.from(rows: [{v: caught.msg}])
                |> filter(fn: (r) => r.v !~ want)
                |> yield(name: "errorOutput")
        else
            die(msg: "shouldError expected an error")
}

// `experimental/date/boundaries`: the bounds of days, weeks and months around this day.
import "date"

_bounds = (start, length) => ({start: start, stop: date.add(d: length, to: start)})

// The last day of this name before a day.
_last = (day, before) => {
    own = date.weekDay(t: before)
    back =
        if own == day then
            7
        else if own == date.Sunday then
            7 - day
        else if day >= own then
            7 - (day - own)
        else
            own - day

    return date.truncate(t: date.sub(d: date.scale(d: 1d, n: back), from: before), unit: 1d)
}

_day = (day) => _bounds(start: _last(day: day, before: today()), length: 1d)

yesterday = () => ({start: date.sub(d: 1d, from: today()), stop: today()})

monday = () => _day(day: date.Monday)

tuesday = () => _day(day: date.Tuesday)

wednesday = () => _day(day: date.Wednesday)

thursday = () => _day(day: date.Thursday)

friday = () => _day(day: date.Friday)

saturday = () => _day(day: date.Saturday)

sunday = () => _day(day: date.Sunday)

month = (month_offset=0) => {
    this = date.truncate(t: today(), unit: 1mo)

    return _bounds(start: date.add(d: date.scale(d: 1mo, n: month_offset), to: this), length: 1mo)
}

week = (week_offset=0, start_sunday=false) => {
    first = if start_sunday then date.Sunday else date.Monday
    before = date.add(d: date.scale(d: 1w, n: week_offset), to: today())
    start = _last(day: first, before: before)

    // A week that begins this day has begun.
    return _bounds(
        start: if date.weekDay(t: today()) == first then date.add(d: 1w, to: start) else start,
        length: 1w,
    )
}

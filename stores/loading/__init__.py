"""Reading regions, timetables, outlets and stock from files: all or nothing, every problem with line and column."""

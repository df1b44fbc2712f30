"""The reports that finance reads, one file each: a query, a declared list of columns, a stamped `Report`."""

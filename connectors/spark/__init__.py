"""The order store beyond one machine: its log is Parquet files, its heavy verbs run on Spark.

cluster     the session: reached, started, told apart from what can't work
attending   whether anybody works on it
running     a query's answer as a folder; a function over its rows, on the workers
partition   what a worker does with a part
asking      the queries
store       the store on all this

An extra; this is the only room that imports pyspark, and only once something has to run there.
"""

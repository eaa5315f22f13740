"""What a command does to a shop: the room that knows both `connectors` and `clv`.

shop         pull, reconcile, plan, write: what needs no score
scoring      the model and the scores
planning     what the customers should show, against what they do
explaining   one customer
reporting    the page
segmenting   groups of customers by rules
each         one job for every shop
engine       `clv`, loaded when it is first used
"""

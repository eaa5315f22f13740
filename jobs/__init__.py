"""What a command does to a shop: the room that knows both `connectors` and `clv`.

shop         pull, reconcile, plan, write: what needs no score
scoring      the model and the scores
planning     what the customers should show, against what they do
explaining   one customer
reporting    the page
segmenting   groups of customers by rules
notifying    the message after a run
each         one job for every shop
abreast      the same for several at a time
engine       `clv`, loaded when it is first used
"""

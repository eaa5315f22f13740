"""The outside world: shops, the order store, configuration, the terminal.

A page's way, and a change's:
platform, registry      the verbs of every shop, and who speaks them: magento/, shopify/, file/
http/, origin           the one way out, and where it may lead
schema, rates           what orders look like here, in one currency each
identity                whose an order is, knowing nobody
pull, hints, hinted     into the store, page by page; what webhooks (serve/) told besides
store/, spark/          what is known, on one machine or on a cluster
plan, drift, writeback  what customers should show, how far that moves a shop, and out again

A command's:
arguments, session, turns        what it is given, and what it works with, for several shops at once
terminal, stopping               what people see of it, and a wish to stop
config/, errors, redaction       what the owner sets, what can go wrong, what nobody is told
doctor, metrics, tracing, notify how it goes, told beforehand, meanwhile and afterwards

What there is to tell:
news, scored, explained, history of a run, a scoring, a customer, the last runs
reconcile, reconciled, causes    of what differs from the shop, and why
material, report/, segments      of the shop as a whole
export, made_files, files        as files
privacy, leaving, erased         of a person, and how they leave
"""

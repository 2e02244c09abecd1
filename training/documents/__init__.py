"""Documents that nobody wrote: receipts, invoices, delivery notes, forms and e-mails, drawn with all that stands in them."""

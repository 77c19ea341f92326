"""What a document says in libvirt's own XML, because no field has a word for it: `spec.xml`, of every kind with XML.

A fragment is merged into an object's definition by identity (`tables`, each kind's `identity.py`), compared with it by
containment, told statement by statement, and taken out again statement by statement. Nothing here knows a kind.
"""
